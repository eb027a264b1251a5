import UsherCore

/// Something that is wrong in the file, where, and how to mend it.
package struct Diagnostic: Hashable, Sendable {
    package enum Severity: String, Sendable { case error, warning }

    package var severity: Severity
    /// Both from 1; the column counts Unicode scalars.
    package var line: Int
    package var column: Int
    package var message: String
    /// Stable, for tools: `catalog.unknown-key`.
    package var code: Code

    package enum Code: String, Sendable, CaseIterable {
        case unreadable = "catalog.unreadable"
        case tooLarge = "catalog.too-large"
        case encoding = "catalog.encoding"
        case empty = "catalog.empty"
        case syntax = "catalog.syntax"
        case aliasBomb = "catalog.alias-bomb"
        case duplicate = "catalog.duplicate"
        case unknownKey = "catalog.unknown-key"
        case missingKey = "catalog.missing-key"
        case type = "catalog.type"
        case value = "catalog.value"
        case reference = "catalog.reference"
        case capability = "catalog.capability"
        case placeholder = "catalog.placeholder"
        case secretInFile = "catalog.secret-in-file"
        case sharedRoom = "catalog.shared-room"
    }

    /// `FILE:LINE:COLUMN: error: MESSAGE [code]`.
    package func text(file: String) -> String {
        "\(file):\(line):\(column): \(severity.rawValue): \(message) [\(code.rawValue)]"
    }

    package func json(file: String) -> JSON {
        [
            "file": .string(file), "line": .int(Int64(line)), "column": .int(Int64(column)), "severity": .string(severity.rawValue),
            "code": .string(code.rawValue), "message": .string(message),
        ]
    }
}

/// The result of reading a file: a catalogue if there is no error, and everything that was found, in the order of the file.
package struct CatalogReport: Sendable {
    package var catalog: Catalog?
    package var diagnostics: [Diagnostic]

    package var hasErrors: Bool { diagnostics.contains { $0.severity == .error } }
}
