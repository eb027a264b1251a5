import Synchronization
import UsherCore

/// A way to a service on which requests go wrong when a test says so.
public final class FaultyTransport: Transport {
    /// What goes wrong with one request.
    public enum Fault: Sendable {
        /// No connection: the service sees nothing.
        case refuseConnection
        /// The service does what it is asked, and its answer is lost.
        case loseAnswer
        /// Something answers this, and the service sees nothing.
        case answer(HTTPResponse)
    }

    private let service: any Transport
    private let faults = Mutex<[Fault]>([])

    /// - Parameter service: whom requests reach that nothing happens to.
    public init(_ service: any Transport) { self.service = service }

    /// Makes the next requests go wrong, one fault each, in this order.
    public func inject(_ next: Fault...) { faults.withLock { $0 += next } }

    /// Sends a request on, or lets it go wrong.
    public func send(_ request: HTTPRequest) async throws(TransportError) -> HTTPResponse {
        switch faults.withLock({ $0.isEmpty ? nil : $0.removeFirst() }) {
        case nil: return try await service.send(request)
        case .refuseConnection: throw .notSent("the connection was refused")
        case .answer(let response): return response
        case .loseAnswer:
            _ = try await service.send(request)
            throw .unclear("the answer was lost")
        }
    }
}
