import Logging
import UsherCore

/// The way to a provider with an eye on it: each call is counted, timed and logged with the provider's own id of it.
struct ObservedTransport: Transport {
    let inner: any Transport
    let provider: String
    let meters: Meters
    let logger: Logger
    let environment: Environment

    /// Where providers put the id under which their support finds a call: Zoom, Microsoft Graph, others.
    private static let trackingHeaders = ["x-zm-trackingid", "request-id", "x-request-id"]

    func send(_ request: HTTPRequest) async throws(TransportError) -> HTTPResponse {
        let began = environment.now()
        var request = request
        request.headers += environment.traceHeaders
        do throws(TransportError) {
            let response = try await inner.send(request)
            note(request, "\(response.status)", began, Self.trackingHeaders.lazy.compactMap { response.header($0) }.first)
            return response
        } catch {
            switch error {
            case .notSent: note(request, "unreached", began, nil)
            case .unclear: note(request, "unclear", began, nil)
            }
            throw error
        }
    }

    private func note(_ request: HTTPRequest, _ outcome: String, _ began: Instant, _ tracking: String?) {
        let took = environment.now() - began
        meters.count(.providerCalls, ["provider": provider, "method": request.method, "code": outcome])
        meters.time(.providerCalls, took, ["provider": provider])
        // Without the query, which may hold what is nobody's business.
        var metadata: Logger.Metadata = [
            "provider": "\(provider)", "call": "\(request.method) \(Substring(request.url.utf8.prefix { $0 != UInt8(ascii: "?") }))",
            "outcome": "\(outcome)",
            "ms": "\(took.microseconds / 1_000)",
        ]
        if let tracking { metadata["tracking"] = "\(tracking)" }
        logger.info("a provider was called", metadata: metadata)
    }
}

extension Environment {
    /// What says that a call belongs to the trace of the task at hand; nothing where there is none.
    var traceHeaders: [(name: String, value: String)] { TraceContext.current?.headers(span: random(8)) ?? [] }
}
