import HTTPTypes
import Hummingbird
import NIOCore
import Synchronization
import UsherCore
import UsherPipeline

/// How many requests are worked on at the same time. More are told at once to come again: a server that lets everybody in answers
/// nobody in good time.
final class Admission: Sendable {
    private let limit: Int
    private let busy = Mutex(0)
    private let pressure: LoadSignal
    /// Bytes of large bodies that may be on their way at the same time.
    private let largeBytesLeft = Mutex(32 << 20)
    /// As many as there are connections do no harm.
    private static let smallBody = 16 << 10

    /// - Parameter limit: enough to keep the database's group commits full; what is beyond would only wait in a queue.
    init(limit: Int, _ pressure: LoadSignal) {
        self.limit = limit
        self.pressure = pressure
    }

    /// - Throws: ``ErrorCode/overloaded``.
    fileprivate func enter() throws(UsherError) {
        let places = places
        let isIn = busy.withLock { busy in
            guard busy < places else { return false }
            busy += 1
            return true
        }
        if !isIn { throw sentAway() }
    }

    /// - Throws: ``ErrorCode/overloaded``.
    fileprivate func refuseIfFull() throws(UsherError) { if busy.withLock({ $0 }) >= places { throw sentAway() } }

    /// While callers crowd in there are half as many: whoever is let in is answered twice as soon.
    private var places: Int { pressure.isHigh ? (limit + 1) / 2 : limit }

    /// Runs `body`, while a body of so many bytes is on its way. Anybody may send one, key or not: what is large has to share.
    /// - Throws: ``ErrorCode/overloaded``.
    fileprivate func reading<Result>(_ bytes: Int, _ body: () async throws -> Result) async throws -> Result {
        guard bytes > Self.smallBody else { return try await body() }
        let fits = largeBytesLeft.withLock { left in
            guard left >= bytes else { return false }
            left -= bytes
            return true
        }
        // It says nothing of how busy the server is.
        guard fits else { throw Self.overloaded }
        defer { largeBytesLeft.withLock { $0 += bytes } }
        return try await body()
    }

    private func sentAway() -> UsherError {
        pressure.rise()
        return Self.overloaded
    }

    private static var overloaded: UsherError {
        UsherError(.overloaded, "Too much is going on here just now. Try again in a few seconds.")
    }

    fileprivate func leave() { busy.withLock { $0 -= 1 } }
    /// There may be one more at work then than there are places: whoever has waited is not sent away.
    fileprivate func comeBack() { busy.withLock { $0 += 1 } }

    /// The server whose request is being worked on.
    @TaskLocal fileprivate static var current: Admission?

    /// Gives the place of a caller up who only waits, until the waiting is over.
    static func waiting<Result>(_ body: () async throws -> Result) async rethrows -> Result {
        guard let current else { return try await body() }
        current.leave()
        defer { current.comeBack() }
        return try await body()
    }
}

/// Reads a request's body, and then lets it in if there is a place: nobody holds one who sends a byte a minute.
struct AdmissionGate: RouterMiddleware {
    typealias Context = WebContext

    let admission: Admission

    private static let bodyPatience = Duration.seconds(10)

    func handle(
        _ request: Request, context: WebContext, next: (Request, WebContext) async throws -> Response
    ) async throws -> Response {
        // Whoever watches over the server must hear from it, then above all.
        if request.uri.path.hasPrefix("/health/") || request.uri.path == "/metrics" { return try await next(request, context) }
        // Before its body is read, too: who will be sent away anyhow is not listened to.
        try admission.refuseIfFull()
        let whole = try await whole(request)
        try admission.enter()
        defer { admission.leave() }
        return try await Admission.$current.withValue(admission) { try await next(whole, context) }
    }

    private func whole(_ request: Request) async throws -> Request {
        let isBodiless = request.headers[.contentLength].map { $0 == "0" } ?? (request.headers[.transferEncoding] == nil)
        if isBodiless { return request }
        // Without a length it may grow to the limit.
        let length = request.headers[.contentLength].flatMap(Int.init) ?? Request.bodyLimit
        guard length <= Request.bodyLimit else { throw Request.tooLarge }
        var whole = request
        whole.body = RequestBody(buffer: try await admission.reading(length) { try await body(of: request) })
        return whole
    }

    private func body(of request: Request) async throws -> ByteBuffer {
        try await withThrowingTaskGroup(of: ByteBuffer?.self) { group in
            group.addTask { try await request.wholeBody() }
            group.addTask {
                try await Task.sleep(for: Self.bodyPatience)
                return nil
            }
            defer { group.cancelAll() }
            guard let buffer = try await group.next() ?? nil else {
                throw UsherError(.requestMalformed, "The body did not come within \(Self.bodyPatience.wholeSeconds) seconds.")
            }
            return buffer
        }
    }
}
