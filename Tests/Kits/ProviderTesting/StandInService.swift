import Synchronization
import UsherCore

/// A service that a test plays: it keeps a state, and answers each request out of it. ``FaultyTransport`` lets it go wrong.
///
///     let service = StandInService([String: JSON]()) { rooms, request in
///         rooms["7"] = try? JSON(parsing: request.body)
///         return .json(201, ["id": "7"])
///     }
public final class StandInService<State: Sendable>: Transport {
    private let memory: Mutex<(state: State, requests: [HTTPRequest])>
    private let handle: @Sendable (inout State, HTTPRequest) -> HTTPResponse

    /// - Parameters:
    ///   - state: what the service knows at first.
    ///   - handle: answers one request, and changes the state by it; it asks nothing else of the service, which waits for it.
    public init(_ state: State, handle: @escaping @Sendable (inout State, HTTPRequest) -> HTTPResponse) {
        memory = Mutex((state, []))
        self.handle = handle
    }

    /// What the service knows now.
    public var state: State { memory.withLock { $0.state } }
    /// Changes what the service knows, as its own user would.
    public func change(_ body: (inout State) -> Void) { memory.withLock { body(&$0.state) } }
    /// Every request so far.
    public var requests: [HTTPRequest] { memory.withLock { $0.requests } }

    /// Answers a request.
    public func send(_ request: HTTPRequest) async throws(TransportError) -> HTTPResponse {
        memory.withLock { memory in
            memory.requests.append(request)
            return handle(&memory.state, request)
        }
    }
}

extension HTTPResponse {
    /// An answer in JSON.
    public static func json(_ status: Int, _ value: JSON) -> HTTPResponse {
        HTTPResponse(status: status, headers: [("Content-Type", "application/json")], body: Array(value.serialized.utf8))
    }
}

extension HTTPRequest {
    /// The parts of the address's path, percent-decoded: `/rooms/a%20b?x=1` has `rooms` and `a b`.
    public var pathParts: [String] {
        let path = url.drop { $0 != ":" }.dropFirst(3).drop { $0 != "/" }.prefix { $0 != "?" }
        return path.split(separator: "/").map { percentDecoded($0) }
    }

    /// The parameters of the address, percent-decoded; of several of one name the last.
    public var query: [String: String] {
        let pairs = url.drop { $0 != "?" }.dropFirst().split(separator: "&").map { $0.split(separator: "=", maxSplits: 1) }
        return Dictionary(pairs.map { (percentDecoded($0.first ?? ""), $0.count > 1 ? percentDecoded($0[1]) : "") }) { $1 }
    }
}

private func percentDecoded(_ text: Substring) -> String {
    var bytes: [UInt8] = []
    var rest = text.utf8[...]
    while let byte = rest.popFirst() {
        guard byte == UInt8(ascii: "%"), let code = UInt8(String(decoding: rest.prefix(2), as: UTF8.self), radix: 16) else {
            bytes.append(byte)
            continue
        }
        bytes.append(code)
        rest = rest.dropFirst(2)
    }
    return String(decoding: bytes, as: UTF8.self)
}
