import UsherCore
import Yams

/// Collects what is found.
final class Reporter {
    private var found: [Diagnostic] = []
    /// Keys that stand twice, by the round in which they were found.
    private var doubled: [Int: String] = [:]

    func masked(_ key: String, _ round: Int) { doubled[round] = key }
    func maskedKey(_ round: Int) -> String { doubled[round] ?? "" }
    /// More than this helps nobody.
    private static let limit = 1_000

    var hasErrors: Bool { found.contains { $0.severity == .error } }
    var sorted: [Diagnostic] { found.sorted { ($0.line, $0.column) < ($1.line, $1.column) } }

    func error(_ code: Diagnostic.Code, _ mark: Place?, _ message: String) { add(.error, code, mark, message) }
    func warning(_ code: Diagnostic.Code, _ mark: Place?, _ message: String) { add(.warning, code, mark, message) }

    private func add(_ severity: Diagnostic.Severity, _ code: Diagnostic.Code, _ mark: Place?, _ message: String) {
        guard found.count < Self.limit else { return }
        found.append(Diagnostic(severity: severity, line: mark?.line ?? 1, column: mark?.column ?? 1, message: message, code: code))
    }
}

/// A place in the file, both from 1; the column counts Unicode scalars.
struct Place: Hashable {
    var line: Int
    var column: Int
}

extension Place {
    init(_ mark: Mark) { self.init(line: mark.line, column: mark.column) }
}

extension Node { var place: Place? { mark.map { Place($0) } } }
extension Node.Scalar { var place: Place? { mark.map { Place($0) } } }
extension Node.Mapping { var place: Place? { mark.map { Place($0) } } }
