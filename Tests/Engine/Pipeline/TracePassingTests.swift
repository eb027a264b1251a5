import ProviderSandbox
import Synchronization
import TestSupport
import Testing
import UsherCore
import UsherPipeline

/// The trace of a caller's request, in what follows from it.
@Suite(.timeLimit(.minutes(1)))
struct TracePassingTests {
    /// Lets everything through, and remembers the traces.
    private final class Listening: Transport {
        let inner: any Transport
        private let seen = Mutex<[(parent: String?, state: String?)]>([])
        var traces: [(parent: String?, state: String?)] { seen.withLock { $0 } }

        init(_ inner: any Transport) { self.inner = inner }

        func send(_ request: HTTPRequest) async throws(TransportError) -> HTTPResponse {
            func header(_ name: String) -> String? { request.headers.first { $0.name == name }?.value }
            seen.withLock { $0.append((header("traceparent"), header("tracestate"))) }
            return try await inner.send(request)
        }
    }

    @Test("the provider's calls and the webhooks of a booking are in its trace, each in a span of its own, and those of others are not")
    func passed() async throws {
        let listening = Mutex<Listening?>(nil)
        let engine = try await TestEngine(transport: { inner in
            let transport = Listening(inner)
            listening.withLock { $0 = transport }
            return transport
        })
        let transport = try #require(listening.withLock { $0 })
        _ = try await WebhookService(engine.context).create(url: "https://crm.example/hook", events: nil)
        let id = "4bf92f3577b34da6a3ce929d0e0e4736"
        let trace = try #require(TraceContext(parent: "00-\(id)-00f067aa0ba902b7-01", state: "congo=t61"))
        try await TraceContext.$current.withValue(trace) { _ = try await engine.booked() }
        let calls = transport.traces.filter { $0.parent != nil }
        #expect(calls.allSatisfy { $0.parent?.hasPrefix("00-\(id)-") == true && $0.state == "congo=t61" })
        #expect(calls.count > 1 && Set(calls.map(\.parent)).count == calls.count)
        #expect(!calls.contains { $0.parent?.contains("00f067aa0ba902b7") == true })
        let told = engine.receiver.received.map { sent in sent.headers.first { $0.name == "traceparent" }?.value }
        #expect(told.count == 2 && told.allSatisfy { $0?.hasPrefix("00-\(id)-") == true })

        _ = try await engine.booked(at: "2026-12-03T10:00:00Z")
        #expect(transport.traces.count { $0.parent != nil } == calls.count && transport.traces.count > calls.count)
        #expect(engine.receiver.received.suffix(2).allSatisfy { sent in !sent.headers.contains { $0.name == "traceparent" } })
    }
}
