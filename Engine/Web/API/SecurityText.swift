import Hummingbird
import NIOCore
import UsherCore
import UsherPipeline

/// `/.well-known/security.txt`: how to report a hole (RFC 9116). There is none where the catalogue names no way.
struct SecurityText: Sendable {
    let context: EngineContext

    /// Less than a year, as RFC 9116 §2.5.5 asks.
    private static let lifetime = Duration.days(180)

    func add(to router: Router<WebContext>) {
        router.get("/.well-known/security.txt") { _, _ in
            guard let contact = context.catalog.current.security else {
                throw UsherError(.notFound, "This site names no way to report a hole.")
            }
            let text = """
                Contact: \(contact)
                Expires: \((context.now + Self.lifetime).rfc3339)
                Canonical: \(context.settings.publicURL)/.well-known/security.txt

                """
            return Response(
                status: .ok, headers: [.contentType: "text/plain; charset=utf-8"], body: .init(byteBuffer: ByteBuffer(string: text)))
        }
    }
}
