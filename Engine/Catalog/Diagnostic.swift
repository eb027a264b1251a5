import UsherCore

/// Something that is wrong in the file, where, and how to mend it.
package struct Diagnostic: Hashable, Sendable {
    /// Whether the catalogue can be used in spite of it.
    package enum Severity: String, Sendable { case error, warning }

    /// Whether the catalogue can be used in spite of it.
    package var severity: Severity
    /// Both from 1; the column counts Unicode scalars.
    package var line: Int
    /// Counted in characters, from 1.
    package var column: Int
    /// What is wrong and what may stand there, in a sentence.
    package var message: String
    /// Stable, for tools: `catalog.unknown-key`.
    package var code: Code

    /// Kinds of findings, as programs read them.
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
    /// - Parameter paint: gives the word for the severity its colour.
    package func text(file: String, paint: (String, Severity) -> String = { word, _ in word }) -> String {
        "\(file):\(line):\(column): \(paint(severity.rawValue + ":", severity)) \(message) [\(code.rawValue)]"
    }

    /// The line that it is about and a mark below its place, to read in a terminal; empty where there is none, or a secret may stand there.
    /// - Parameter source: the file's text.
    package func excerpt(of source: String) -> String {
        let lines = source.split(separator: "\n", omittingEmptySubsequences: false)
        guard code != .secretInFile, lines.indices.contains(line - 1), column <= Self.longestExcerpt else { return "" }
        let scalars = lines[line - 1].unicodeScalars.prefix(Self.longestExcerpt)
        // Nothing in the file may steer the terminal; a tab stays one above and below.
        let shown = scalars.map { $0.properties.generalCategory == .control && $0 != "\t" ? "\u{FFFD}" : $0 }
        let margin = "\(line)".map { _ in " " }.joined()
        let mark = scalars.prefix(column - 1).map { $0 == "\t" ? "\t" : " " }.joined()
        return "  \(line) | \(String(String.UnicodeScalarView(shown)))\n  \(margin) | \(mark)^"
    }

    /// In Unicode scalars.
    private static let longestExcerpt = 160

    /// As `usher check --json` prints it.
    package func json(file: String) -> JSON {
        [
            "file": .string(file), "line": .int(Int64(line)), "column": .int(Int64(column)), "severity": .string(severity.rawValue),
            "code": .string(code.rawValue), "message": .string(message),
        ]
    }
}

/// The result of reading a file: a catalogue if there is no error, and everything that was found, in the order of the file.
package struct CatalogReport: Sendable {
    /// The catalogue; `nil` where a finding keeps it from being used.
    package var catalog: Catalog?
    /// What was found, in the order of the file.
    package var diagnostics: [Diagnostic]
    /// What was read; empty where it is no text.
    package var text = ""

    /// Whether a finding keeps the catalogue from being used.
    package var hasErrors: Bool { diagnostics.contains { $0.severity == .error } }
}
