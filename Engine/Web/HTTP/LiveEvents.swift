import HTTPTypes
import Hummingbird
import NIOCore
import ServiceLifecycle
import UsherPipeline

/// Server-sent events that say no more than "look again": what has changed stands on the page that is asked for anew.
/// Source: https://html.spec.whatwg.org/multipage/server-sent-events.html
struct LiveEvents {
    let changes: Changes

    /// Then the browser comes again by itself, and is asked anew who it is.
    private static let lifetime = 4
    /// A line that says nothing finds out whether anybody still listens, and keeps proxies from hanging up.
    private static let pulse = Duration.seconds(15)

    /// Whether a page makes this request by itself: for events, or to look again after one.
    static func isAsked(by request: Request) -> Bool {
        request.headers[.accept] == "text/event-stream" || HTTPField.Name("Usher-Live").flatMap { request.headers[$0] } != nil
    }

    var response: Response {
        var headers: HTTPFields = [.contentType: "text/event-stream", .cacheControl: "no-store"]
        // nginx would keep what is said until there is more of it.
        if let name = HTTPField.Name("X-Accel-Buffering") { headers[name] = "no" }
        return Response(
            status: .ok, headers: headers,
            body: ResponseBody { [changes] writer in
                // Before the first word is said, so that nothing falls between the two.
                let heard = changes.listen(to: Changes.all)
                try await writer.write(ByteBuffer(string: "retry: 2000\n\n"))
                try await Self.follow(heard) { try await writer.write(ByteBuffer(string: $0)) }
                try await writer.finish(nil)
            })
    }

    /// Says each change, until the time is over or the server is to stop.
    private static func follow(_ changes: AsyncStream<Void>, _ say: (String) async throws -> Void) async throws {
        // What comes while the last is still on its way to the reader is said once; a pulse takes no change's place.
        let (events, continuation) = AsyncStream<String>.makeStream(bufferingPolicy: .bufferingOldest(2))
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { for await _ in changes { continuation.yield("data: changed\n\n") } }
            group.addTask {
                for _ in 0..<lifetime {
                    try await Task.sleep(for: pulse)
                    continuation.yield(":\n\n")
                }
                continuation.finish()
            }
            defer { group.cancelAll() }
            for await event in events.cancelOnGracefulShutdown() { try await say(event) }
        }
    }
}
