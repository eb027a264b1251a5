import HTTPTypes
import Hummingbird
import Logging
import NIOCore
import UsherCore

/// The sandbox on a port of its own, for programs in other processes.
public struct SandboxServer: Sendable {
    private let zoom: ZoomSandbox
    private let google: GoogleSandbox?
    private let microsoft: MicrosoftSandbox?
    private let port: Int
    private let onReady: @Sendable (Int) -> Void
    private let onRemoval: @Sendable (_ email: String) async -> Void

    /// - Parameters:
    ///   - google: served under `/google`, where it is given.
    ///   - microsoft: served under `/microsoft`, where it is given.
    ///   - port: 0 takes any free one.
    ///   - onReady: called with the port once connections are taken.
    ///   - onRemoval: called when a user has removed the app on the page `/apps`; Zoom would tell the app now.
    public init(
        zoom: ZoomSandbox, google: GoogleSandbox? = nil, microsoft: MicrosoftSandbox? = nil, port: Int = 0,
        onReady: @escaping @Sendable (Int) -> Void = { _ in },
        onRemoval: @escaping @Sendable (_ email: String) async -> Void = { _ in }
    ) {
        self.onRemoval = onRemoval
        self.zoom = zoom
        self.google = google
        self.microsoft = microsoft
        self.port = port
        self.onReady = onReady
    }

    /// Serves until the task is cancelled.
    public func run() async throws {
        let app = Application(
            responder: CallbackResponder { (request: Request, _: BasicRequestContext) in try await respond(request) },
            configuration: .init(address: .hostname("127.0.0.1", port: port), serverName: nil),
            onServerRunning: { channel in onReady(channel.localAddress?.port ?? 0) },
            logger: Logger(label: "sandbox", factory: { _ in SwiftLogNoOpLogHandler() }))
        try await app.run()
    }

    private func respond(_ request: Request) async throws -> Response {
        var request = request
        let body = try await request.collectBody(upTo: 1 << 20)
        if request.method == .post, request.uri.path == "/apps" {
            let user = SandboxRequest.form(String(buffer: body))["user"] ?? ""
            zoom.removeApp(of: user)
            await onRemoval(user)
            return Response(status: .seeOther, headers: [.location: "/apps"])
        }
        let headers = request.headers.map { (name: $0.name.rawName, value: $0.value) }
        switch reply(request, headers, Array(body.readableBytesView)) {
        case .answer(let answer): return Self.response(answer)
        case .late(let answer, let wait):
            try await Task.sleep(for: wait)
            return Self.response(answer)
        case .cut, .refused:
            // The head promises a body that never comes: the connection ends in the middle of the answer.
            return Response(status: .ok, body: ResponseBody(contentLength: 1_000) { _ in throw CutConnection() })
        }
    }

    private func reply(_ request: Request, _ headers: [(name: String, value: String)], _ body: [UInt8]) -> ZoomSandbox.Reply {
        let target = request.uri.string
        if let google, target.hasPrefix("/google/") {
            return google.handle(request.method.rawValue, String(target.dropFirst("/google".count)), headers: headers, body: body)
        }
        if let microsoft, target.hasPrefix("/microsoft/") {
            return microsoft.handle(request.method.rawValue, String(target.dropFirst("/microsoft".count)), headers: headers, body: body)
        }
        return zoom.handle(request.method.rawValue, target, headers: headers, body: body)
    }

    private static func response(_ answer: UsherCore.HTTPResponse) -> Response {
        var response = Response(status: .init(code: answer.status))
        for header in answer.headers { if let name = HTTPField.Name(header.name) { response.headers[name] = header.value } }
        if answer.status != 204 { response.body = ResponseBody(byteBuffer: ByteBuffer(bytes: answer.body)) }
        return response
    }

    private struct CutConnection: Error {}
}
