import Synchronization
import UsherCore

/// A service that a test plays: it keeps a state, answers each request out of it, and goes wrong when it is told to.
///
///     let service = StandInService([String: JSON]()) { rooms, request in
///         rooms["7"] = try? JSON(parsing: String(decoding: request.body, as: UTF8.self))
///         return .json(201, ["id": "7"])
///     }
public final class StandInService<State: Sendable>: Transport {
    /// What goes wrong with one request.
    public enum Fault: Sendable {
        /// No connection: the service sees nothing.
        case refuseConnection
        /// The service does what it is asked, and its answer is lost.
        case loseAnswer
        /// The service answers this, and does nothing.
        case answer(HTTPResponse)
    }

    private struct Memory {
        var state: State
        var faults: [Fault] = []
        var requests: [HTTPRequest] = []
    }
    private let memory: Mutex<Memory>
    private let handle: @Sendable (inout State, HTTPRequest) -> HTTPResponse

    /// - Parameters:
    ///   - state: what the service knows at first.
    ///   - handle: answers one request, and changes the state by it; it asks nothing else of the service, which waits for it.
    public init(_ state: State, handle: @escaping @Sendable (inout State, HTTPRequest) -> HTTPResponse) {
        memory = Mutex(Memory(state: state))
        self.handle = handle
    }

    /// Makes the next requests go wrong, one fault each, in this order.
    public func inject(_ faults: Fault...) { memory.withLock { $0.faults += faults } }

    /// What the service knows now.
    public var state: State { memory.withLock { $0.state } }
    /// Changes what the service knows, as its own user would.
    public func change(_ body: (inout State) -> Void) { memory.withLock { body(&$0.state) } }
    /// Every request so far, those that went wrong among them.
    public var requests: [HTTPRequest] { memory.withLock { $0.requests } }

    /// Answers a request, or lets it go wrong.
    public func send(_ request: HTTPRequest) async throws(TransportError) -> HTTPResponse {
        let outcome = memory.withLock { memory -> Result<HTTPResponse, TransportError> in
            memory.requests.append(request)
            switch memory.faults.isEmpty ? nil : memory.faults.removeFirst() {
            case .refuseConnection: return .failure(.notSent("the connection was refused"))
            case .answer(let response): return .success(response)
            case .loseAnswer:
                _ = handle(&memory.state, request)
                return .failure(.unclear("the answer was lost"))
            case nil: return .success(handle(&memory.state, request))
            }
        }
        return try outcome.get()
    }
}

extension HTTPResponse {
    /// An answer in JSON.
    public static func json(_ status: Int, _ value: JSON) -> HTTPResponse {
        HTTPResponse(status: status, headers: [("Content-Type", "application/json")], body: Array(value.serialized.utf8))
    }
}
