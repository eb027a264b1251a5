import Synchronization
import UsherCore

/// A program that is notified of events: it keeps what it is sent, and answers as it is told to.
package final class TestReceiver: Transport {
    private struct State {
        var received: [HTTPRequest] = []
        var answers: [Result<HTTPResponse, TransportError>] = []
    }
    private let state = Mutex(State())

    package init() {}

    package var received: [HTTPRequest] { state.withLock(\.received) }
    /// The events by type, in the order in which they came.
    package var types: [String] { received.map { (try? JSON(parsing: $0.body))?["type"]?.string ?? "" } }

    /// What it answers next, one after the other; 204 after that.
    package func answer(_ answers: Result<HTTPResponse, TransportError>...) { state.withLock { $0.answers += answers } }

    package func send(_ request: HTTPRequest) async throws(TransportError) -> HTTPResponse {
        try state.withLock { state in
            state.received.append(request)
            return state.answers.isEmpty ? .success(HTTPResponse(status: 204)) : state.answers.removeFirst()
        }.get()
    }
}
