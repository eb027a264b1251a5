import HTTPTypes
import Hummingbird
import NIOCore
import NIOHTTPTypes
import Synchronization
import UsherCore
import UsherPipeline

/// How many requests are worked on at the same time. More are told at once to come again: a server that lets everybody in answers
/// nobody in good time.
final class Admission: Sendable {
    private let left: Mutex<Int>
    private let limit: Int
    private let pressure: Pressure

    /// The server whose request is being worked on.
    @TaskLocal static var current: Admission?

    /// - Parameter limit: enough to keep the database's group commits full; what is beyond would only wait in a queue.
    init(limit: Int, _ pressure: Pressure) {
        left = Mutex(limit)
        self.limit = limit
        self.pressure = pressure
    }

    func take() -> Bool {
        let isIn = left.withLock { left in
            guard left > 0 else { return false }
            left -= 1
            return true
        }
        if !isIn { pressure.set(true) }
        return isIn
    }
    func give() {
        let isCalm = left.withLock { left in
            left += 1
            return left > limit / 2
        }
        if isCalm { pressure.set(false) }
    }

    /// Gives the place of a caller up who only waits, until the waiting is over.
    static func waiting<Result>(_ body: () async throws -> Result) async rethrows -> Result {
        guard let current else { return try await body() }
        current.give()
        // There may be one more at work then than there are places: whoever has waited is not sent away.
        defer { current.left.withLock { $0 -= 1 } }
        return try await body()
    }
}

/// Lets the work on a request know the server's places.
struct AdmissionScope: RouterMiddleware {
    typealias Context = BasicRequestContext

    let admission: Admission

    func handle(
        _ request: Request, context: BasicRequestContext, next: (Request, BasicRequestContext) async throws -> Response
    ) async throws -> Response {
        try await Admission.$current.withValue(admission) { try await next(request, context) }
    }
}

/// Stands before everything else on a connection: a request for which there is no place is answered on the spot, for next to nothing.
final class AdmissionHandler: ChannelDuplexHandler, RemovableChannelHandler {
    typealias InboundIn = HTTPRequestPart
    typealias InboundOut = HTTPRequestPart
    typealias OutboundIn = HTTPResponsePart
    typealias OutboundOut = HTTPResponsePart

    private enum State { case idle, admitted, refused }
    private var state = State.idle
    private let admission: Admission
    private let meters: Meters

    init(_ admission: Admission, _ meters: Meters) {
        self.admission = admission
        self.meters = meters
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let part = unwrapInboundIn(data)
        if case .head(let head) = part, state == .idle, !Self.isExempt(head.path ?? "") {
            state = admission.take() ? .admitted : .refused
        }
        guard state == .refused else { return context.fireChannelRead(data) }
        guard case .end = part else { return }
        state = .idle
        meters.count(.requests, ["method": "any", "route": "refused", "status": "503"])
        for part in Self.refusal { context.write(wrapOutboundOut(part), promise: nil) }
        context.flush()
    }

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        if case .end = unwrapOutboundIn(data), state == .admitted { leave() }
        context.write(data, promise: promise)
    }

    func channelInactive(context: ChannelHandlerContext) {
        if state == .admitted { leave() }
        context.fireChannelInactive()
    }

    private func leave() {
        state = .idle
        admission.give()
    }

    /// Whoever watches over the server must hear from it, then above all.
    private static func isExempt(_ path: String) -> Bool { path.hasPrefix("/health/") || path == "/metrics" }

    private static let refusal: [HTTPResponsePart] = {
        let error = UsherError(.overloaded, "Too much is going on here just now. Try again in a few seconds.")
        let (head, body) = Response.problemParts(error)
        return [.head(head), .body(ByteBuffer(bytes: body)), .end(nil)]
    }()
}
