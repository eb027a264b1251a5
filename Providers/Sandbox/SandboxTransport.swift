import UsherCore

/// Leads requests to a sandbox in the same process, without a network.
public struct SandboxTransport: Transport {
    private let zoom: ZoomSandbox
    private let mirotalk = MiroTalkSandbox()
    private let pause: @Sendable (Duration) async -> Void

    /// - Parameter pause: how the time of a late answer passes.
    public init(zoom: ZoomSandbox, pause: @escaping @Sendable (Duration) async -> Void = { try? await Task.sleep(for: $0) }) {
        self.zoom = zoom
        self.pause = pause
    }

    /// What `ZOOM_OAUTH_URL` and `ZOOM_API_URL` are to be.
    public static let zoomOAuthURL = "http://zoom.sandbox/oauth"
    public static let zoomAPIURL = "http://zoom.sandbox/v2"

    public func send(_ request: HTTPRequest) async throws(TransportError) -> HTTPResponse {
        if request.url.hasPrefix("https://mirotalk.sandbox/") {
            return mirotalk.handle(
                request.method, String(request.url.dropFirst("https://mirotalk.sandbox".count)), headers: request.headers)
        }
        guard request.url.hasPrefix("http://zoom.sandbox/") else { throw .notSent("no such host in the sandbox: \(request.url)") }
        let target = String(request.url.dropFirst("http://zoom.sandbox".count))
        switch zoom.handle(request.method, target, headers: request.headers, body: request.body) {
        case .answer(let response): return response
        case .late(let response, let wait):
            let left = request.deadline - zoom.now()
            await pause(min(wait, left))
            if wait < left { return response }
            throw .unclear("no answer in time")
        case .cut: throw .unclear("the connection was cut")
        case .refused: throw .notSent("connection refused")
        }
    }
}
