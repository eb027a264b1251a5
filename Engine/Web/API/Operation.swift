import HTTPTypes
import Hummingbird
import UsherCore
import UsherPipeline
import UsherVault

/// One call of the API: how it is made, who may make it, what it takes and what it answers. The router, the check of keys and the
/// description at `/openapi.json` read this one value.
struct Operation: Sendable {
    let method: HTTPTypes.HTTPRequest.Method
    /// With parameters as `{id}`.
    let path: String
    /// `operationId`.
    let id: String
    let access: Access
    let summary: String
    var query: [Parameter] = []
    var takes = Body.none
    /// Whether `Prefer: wait` is heeded.
    var mayWait = false
    /// Whether the same call again does nothing more, key or not.
    var isIdempotent = false
    let answers: Answer
    /// What may go wrong beside what can with every call of its kind.
    var codes: [ErrorCode] = []
    /// Answers that are described as they stand here.
    var more: [JSON.Member] = []
    let run: @Sendable (APICall) async throws -> Response

    enum Access: Sendable {
        case open
        /// A key of the scope; none for a caller on this machine, whom no proxy speaks for.
        case local(Scope)
        case key(Scope)
        /// A key of any scope, and the call looks for itself.
        case anyKey

        var scope: Scope? {
            switch self {
            case .open, .anyKey: nil
            case .local(let scope), .key(let scope): scope
            }
        }

        /// By other names a page of somebody's could lead its visitor's browser here.
        private static let ownNames = ["localhost", "127.0.0.1", "[::1]"]
        private static let forwarding = ["forwarded", "x-forwarded-for", "x-forwarded-host", "x-forwarded-proto", "x-real-ip", "via"]

        func isOpen(to request: Request) -> Bool {
            switch self {
            case .open: true
            case .local: isOwnName(request.head.authority ?? "") && !isForwarded(request)
            case .key, .anyKey: false
            }
        }

        private func isOwnName(_ authority: String) -> Bool { Self.ownNames.contains { authority == $0 || authority.hasPrefix($0 + ":") } }
        private func isForwarded(_ request: Request) -> Bool {
            request.headers.contains { Self.forwarding.contains($0.name.canonicalName) }
        }
    }

    /// One parameter of the address.
    struct Parameter: Sendable {
        var name: String
        var schema: JSON
        var detail: String
        var isRequired = false
    }

    enum Body: Sendable {
        case none
        case json(any JSONNamed.Type)
        /// The same, or no body at all.
        case maybe(any JSONNamed.Type)
    }

    enum Answer: Sendable {
        case json(HTTPTypes.HTTPResponse.Status, any JSONNamed.Type)
        /// `{items, nextCursor}`
        case page(any JSONNamed.Type)
        case nothing
        /// Anything else, by its media type.
        case other(String)
    }

    /// Whether a repeated call may carry an `Idempotency-Key`.
    var isRepeatable: Bool {
        guard case .key = access, !isIdempotent else { return false }
        return method == .post
    }
}

/// A call as the work behind it sees it.
struct APICall: Sendable {
    let request: Request
    let parameters: Parameters
    /// What is unknown or missing in it is found already, and thrown by its `check`.
    let query: QueryFields
    let caller: Caller
    let body: [UInt8]
    let route: String

    /// A part of the path.
    func part(_ name: String) throws -> String { try parameters.require(name) }

    /// The body as a JSON object.
    func object() throws -> JSON { try request.jsonObject(body) }
    /// The body as what is asked for, with all that is wrong in its form.
    func read<Content: JSONRequest>(_ content: Content.Type) throws -> (value: Content, findings: [UsherError.Finding]) {
        content.read(try object())
    }

    /// The key as a structured string, `"8e03…"`, or bare.
    /// Source: https://datatracker.ietf.org/doc/draft-ietf-httpapi-idempotency-key-header/
    var repeating: IdempotencyKey? {
        get throws(UsherError) {
            guard let name = HTTPField.Name("Idempotency-Key"), var value = request.headers[name] else { return nil }
            guard request.headers[values: name].count == 1 else {
                throw UsherError(.validationFailed, "Send one Idempotency-Key.")
            }
            if value.count >= 2, value.hasPrefix("\""), value.hasSuffix("\"") { value = String(value.dropFirst().dropLast()) }
            guard (1...255).contains(value.utf8.count), value.utf8.allSatisfy({ $0 >= 32 && $0 < 127 }) else {
                throw UsherError(.validationFailed, "The Idempotency-Key must have 1 to 255 printable ASCII characters.")
            }
            // The same values in another order or spacing are the same call; nothing means an empty object.
            let meant = body.isEmpty ? Array("{}".utf8) : (try? JSON(parsing: body).sorted.serialized).map { Array($0.utf8) } ?? body
            return IdempotencyKey(scope: "\(caller.id) \(route)", key: value, fingerprint: Vault.hash(Array(request.uri.path.utf8) + meant))
        }
    }
}

extension Response {
    static func json(_ status: HTTPTypes.HTTPResponse.Status, _ value: some JSONObject) -> Response { json(status, value.json) }

    /// An answer to a call that may be repeated.
    static func json<Value: JSONObject>(_ status: HTTPTypes.HTTPResponse.Status, _ result: IdempotentResult<Value>) -> Response {
        json(status, result.value.json, isReplay: result.isReplay)
    }

    /// The same with a value that is shown otherwise.
    static func json(_ status: HTTPTypes.HTTPResponse.Status, _ value: JSON, isReplay: Bool) -> Response {
        var response = json(status, value)
        if isReplay, let name = HTTPField.Name("Idempotency-Replayed") { response.headers[name] = "true" }
        return response
    }

    /// A page of a list that is known whole.
    /// - Parameter key: what the items are ordered by; their place where it is not given, for lists that only grow at their end.
    static func list(_ items: [JSON], by key: ((JSON) -> String)? = nil, _ call: APICall) throws -> Response {
        var query = call.query
        let (limit, after) = (query.limit(), query.cursor())
        try query.check()
        let keyed = items.enumerated().map { (place: Int64($0.offset), key: key?($0.element) ?? "-", item: $0.element) }
        let rest = keyed.filter { entry in after.map { key == nil ? entry.place > $0.start.microseconds : entry.key > $0.id } ?? true }
        let shown = rest.prefix(limit)
        let next = rest.count > limit ? shown.last.map { (Instant(microseconds: $0.place), $0.key) } : nil
        return page(shown.map(\.item), next: next)
    }

    static func page(_ items: [JSON], next: (start: Instant, id: String)?) -> Response {
        json(.ok, ["items": .array(items), "nextCursor": next.map { .string(QueryFields.cursor($0.start, $0.id)) } ?? .null])
    }
}
