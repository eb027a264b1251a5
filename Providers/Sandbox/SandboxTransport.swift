import UsherCore

/// Leads requests to a sandbox in the same process, without a network.
public struct SandboxTransport: Transport {
    private let zoom: ZoomSandbox
    private let google: GoogleSandbox
    private let microsoft: MicrosoftSandbox
    private let mirotalk = MiroTalkSandbox()
    private let pause: @Sendable (Duration) async -> Void

    /// - Parameter pause: how the time of a late answer passes.
    public init(
        zoom: ZoomSandbox, google: GoogleSandbox? = nil, microsoft: MicrosoftSandbox? = nil,
        pause: @escaping @Sendable (Duration) async -> Void = { try? await Task.sleep(for: $0) }
    ) {
        self.zoom = zoom
        self.google = google ?? GoogleSandbox(now: zoom.now)
        self.microsoft = microsoft ?? MicrosoftSandbox(now: zoom.now)
        self.pause = pause
    }

    /// What `ZOOM_OAUTH_URL` and `ZOOM_API_URL` are to be.
    public static let zoomOAuthURL = "http://zoom.sandbox/oauth"
    /// What `ZOOM_API_URL` is to be.
    public static let zoomAPIURL = "http://zoom.sandbox/v2"
    /// What `GOOGLE_API_URL`, `GOOGLE_AUTH_URL` and `GOOGLE_TOKEN_URL` are to be.
    public static let googleAPIURL = "http://google.sandbox"
    /// What `GOOGLE_AUTH_URL` is to be.
    public static let googleAuthURL = "http://google.sandbox/o"
    /// What `GOOGLE_TOKEN_URL` is to be.
    public static let googleTokenURL = "http://google.sandbox/token"
    /// What `MICROSOFT_GRAPH_URL` and `MICROSOFT_LOGIN_URL` are to be.
    public static let microsoftGraphURL = "http://microsoft.sandbox/v1.0"
    /// What `MICROSOFT_LOGIN_URL` is to be.
    public static let microsoftLoginURL = "http://microsoft.sandbox"

    /// Has the stand-in answer that the address names.
    public func send(_ request: HTTPRequest) async throws(TransportError) -> HTTPResponse {
        if request.url.hasPrefix("https://mirotalk.sandbox/") {
            return mirotalk.handle(
                request.method, String(request.url.dropFirst("https://mirotalk.sandbox".count)), headers: request.headers)
        }
        switch try reply(request) {
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

    private func reply(_ request: HTTPRequest) throws(TransportError) -> ZoomSandbox.Reply {
        for (host, handle) in [
            ("http://zoom.sandbox", zoom.handle), ("http://google.sandbox", google.handle), ("http://microsoft.sandbox", microsoft.handle),
        ]
        where request.url.hasPrefix(host + "/") {
            return handle(request.method, String(request.url.dropFirst(host.count)), request.headers, request.body)
        }
        throw .notSent("no such host in the sandbox: \(request.url)")
    }
}
