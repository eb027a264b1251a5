import Foundation
import Hummingbird
import UsherCore

/// The parameters of an address as a caller wrote them; what is wrong with them is collected. A finding points at the parameter's name.
struct QueryFields {
    private let parameters: [(name: String, value: String)]
    private var findings: [UsherError.Finding] = []

    static let largestPage = 200
    static let usualPage = 50

    init(_ parameters: [(name: String, value: String)]) { self.parameters = parameters }

    init(_ request: Request) {
        parameters = request.uri.queryParameters.map { (String($0.key), String($0.value)) }
    }

    mutating func find(_ name: String, _ detail: String) { findings.append(.init("/\(JSON.pointerPart(name))", detail)) }

    /// - Throws: ``ErrorCode/validationFailed`` with all that was found, when anything was.
    func check() throws {
        if !findings.isEmpty { throw UsherError(.validationFailed, "The address cannot be understood.", findings: findings) }
    }

    /// Finds parameters that are unknown, written twice or missing.
    mutating func check(_ known: [Operation.Parameter]) {
        let names = known.map(\.name)
        for (name, _) in parameters where !names.contains(name) {
            let near = hint(name, names)
            find(String(name.prefix(80)), "is not a known parameter\(near)")
        }
        for name in names where parameters.count(where: { $0.name == name }) > 1 { find(name, "is written more than once") }
        for parameter in known where parameter.isRequired && text(parameter.name) == nil { find(parameter.name, "is required") }
    }

    func text(_ name: String) -> String? { parameters.first { $0.name == name }?.value }

    mutating func choice<Value: RawRepresentable<String>>(_ name: String, _ all: [Value]) -> Value? {
        guard let text = text(name) else { return nil }
        guard let value = Value(rawValue: text) else {
            find(name, "must be one of: \(all.map(\.rawValue).joined(separator: ", "))")
            return nil
        }
        return value
    }

    /// RFC 3339 with an offset.
    mutating func instant(_ name: String) -> Instant? {
        guard let text = text(name) else { return nil }
        // A plus that was not encoded arrives as a blank.
        guard case .instant(let instant)? = WrittenTime(text.replacing(" ", with: "+")) else {
            find(name, "must be a time such as 2026-12-01T00:00:00Z")
            return nil
        }
        return instant
    }

    /// How many items a page holds.
    mutating func limit() -> Int {
        guard let text = text("limit") else { return Self.usualPage }
        guard let limit = Int(text), (1...Self.largestPage).contains(limit) else {
            find("limit", "must be a number of 1 to \(Self.largestPage)")
            return Self.usualPage
        }
        return limit
    }

    /// Where the page before ended.
    mutating func cursor() -> (start: Instant, id: String)? {
        guard let text = text("cursor") else { return nil }
        let parts = bytes(base64URL: text).map { String(decoding: $0, as: UTF8.self).split(separator: " ").map(String.init) } ?? []
        guard parts.count == 2, let start = Int64(parts[0]) else {
            find("cursor", "must be a nextCursor of this list")
            return nil
        }
        return (Instant(microseconds: start), parts[1])
    }

    static func cursor(_ start: Instant, _ id: String) -> String {
        base64URL("\(start.microseconds) \(id)".utf8)
    }
}
