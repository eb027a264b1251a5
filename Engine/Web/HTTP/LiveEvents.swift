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

    var response: Response {
        var headers: HTTPFields = [.contentType: "text/event-stream", .cacheControl: "no-store"]
        // nginx would keep what is said until there is more of it.
        if let name = HTTPField.Name("X-Accel-Buffering") { headers[name] = "no" }
        return Response(
            status: .ok, headers: headers,
            body: ResponseBody { [changes] writer in
                try await writer.write(ByteBuffer(string: "retry: 2000\n\n"))
                try await Self.follow(changes) { try await writer.write(ByteBuffer(string: $0)) }
                try await writer.finish(nil)
            })
    }

    /// Says each change, until the time is over or the server is to stop.
    private static func follow(_ changes: Changes, _ say: (String) async throws -> Void) async throws {
        // What comes while the last is still on its way to the reader is said once.
        let (events, continuation) = AsyncStream<String>.makeStream(bufferingPolicy: .bufferingNewest(1))
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { for await _ in changes.listen(to: Changes.all) { continuation.yield("data: changed\n\n") } }
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
