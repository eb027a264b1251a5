import Hummingbird
import NIOCore
import UsherCore

/// The members of a JSON object as a caller sent it; what is wrong with them is collected.
struct JSONFields {
    private let json: JSON
    private(set) var findings: [UsherError.Finding] = []

    init(_ json: JSON) { self.json = json }

    mutating func find(_ pointer: String, _ detail: String) { findings.append(.init(pointer, detail)) }

    /// - Throws: ``ErrorCode/validationFailed`` with all that was found, when anything was.
    func check(_ sentence: String) throws {
        if !findings.isEmpty { throw UsherError(.validationFailed, sentence, findings: findings) }
    }

    /// A text; `nil` when it is missing, null or, found, something else.
    mutating func text(_ key: String) -> String? {
        guard let value = json[key], !value.isNull else { return nil }
        if value.string == nil { find("/\(key)", "must be a string") }
        return value.string
    }

    mutating func required(_ key: String) -> String {
        if json[key].map(\.isNull) ?? true { find("/\(key)", "is required") }
        return text(key) ?? ""
    }

    /// A text or null, which must be written.
    mutating func nullable(_ key: String) -> String? {
        if json[key] == nil { find("/\(key)", "is required; null clears it") }
        return text(key)
    }

    /// A yes or no; `nil` when it is missing, null or, found, something else.
    mutating func bool(_ key: String) -> Bool? {
        guard let value = json[key], !value.isNull else { return nil }
        if value.bool == nil { find("/\(key)", "must be true or false") }
        return value.bool
    }

    /// A list of texts; `nil` when it is missing, null or, found, something else.
    mutating func texts(_ key: String) -> [String]? {
        guard let value = json[key], !value.isNull else { return nil }
        guard let items = value.array else {
            find("/\(key)", "must be a list")
            return nil
        }
        for (index, item) in items.enumerated() where item.string == nil { find("/\(key)/\(index)", "must be a string") }
        let texts = items.compactMap(\.string)
        return texts.count == items.count ? texts : nil
    }

    mutating func refuseUnknown(_ known: [String]) {
        for member in json.members ?? [] where !known.contains(member.key) {
            let near = hint(member.key, known)
            find("/\(JSON.pointerPart(String(member.key.prefix(80))))", "is not a known field\(near)")
        }
    }
}

extension Request {
    static var bodyLimit: Int { 1 << 20 }

    /// The whole body, at most 1 MiB.
    /// - Throws: ``ErrorCode/payloadTooLarge``.
    func wholeBody() async throws -> ByteBuffer {
        var request = self
        do { return try await request.collectBody(upTo: Self.bodyLimit) } catch is NIOTooManyBytesError {
            throw Self.tooLarge
        }
    }

    static var tooLarge: UsherError { UsherError(.payloadTooLarge, "The body has more than 1 MiB.") }

    func bodyBytes() async throws -> [UInt8] { Array(try await wholeBody().readableBytesView) }

    /// The body as a JSON object.
    func jsonObject(_ body: [UInt8]) throws -> JSON {
        guard headers[.contentType]?.split(separator: ";").first?.trimmingBlanks.lowercased() == "application/json" else {
            throw UsherError(.requestMediaType, "Send JSON, with Content-Type: application/json.")
        }
        do {
            let json = try JSON(parsing: body)
            if json.members != nil { return json }
        } catch { throw UsherError(.requestMalformed, "The body is not JSON: \(error).") }
        throw UsherError(.requestMalformed, "The body is not a JSON object.")
    }
}
