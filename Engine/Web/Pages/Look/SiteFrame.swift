import HTTPTypes
import Hummingbird
import NIOCore
import UsherCore
import UsherPipeline

/// What all pages of a request have in common: the site, and how it looks.
struct SiteFrame: Sendable {
    var site: Site?
    var look: PageLook
    /// Whether the request's page stands inside of another site's.
    var isEmbedded = false
    /// What the visitor asks for, by the address or the browser.
    fileprivate var request: Request?
    /// Of those that are spoken here the one that the visitor asks for; else the site's.
    var language: String {
        guard let request, let site else { return site?.language ?? "en" }
        return VisitorLanguage.of(request, site)
    }

    private static let plain = SiteFrame(site: nil, look: PageLook(color: Site.usherColor))

    /// Of the request at hand.
    @TaskLocal static var current = plain
}

/// Gives every page of a request the site's frame.
struct SiteFraming: RouterMiddleware {
    typealias Context = WebContext

    let catalog: CatalogHolder
    let looks: PageLooks

    func handle(
        _ request: Request, context: WebContext, next: (Request, WebContext) async throws -> Response
    ) async throws -> Response {
        let site = catalog.current.site
        let frame = SiteFrame(
            site: site, look: looks.look(site, catalog.digest),
            isEmbedded: request.uri.queryParameters["embed"] != nil, request: request)
        return try await SiteFrame.$current.withValue(frame) { try await next(request, context) }
    }
}

/// `/assets/…`: stylesheet, script and logo. Their names change with what is in them, so browsers keep them for a year. They alone are
/// packed: the length of a packed page that says back what a stranger sent would tell of the secrets beside it.
/// Source: https://www.breachattack.com
struct AssetRoutes {
    func add(to router: Router<WebContext>) {
        router.get(RouterPath(PageLook.folder + "/{file}")) { request, _ in
            let assets = SiteFrame.current.look.assets
            let path = request.uri.path
            // Another server may serve a former or later one: then what there is, for a moment.
            let ending = path.split(separator: ".").last ?? ""
            guard let asset = assets.first(where: { $0.path == path }) ?? assets.first(where: { $0.path.hasSuffix("." + ending) }) else {
                throw UsherError(.notFound, "There is no such file.")
            }
            var headers: HTTPFields = [
                .contentType: asset.type, .cacheControl: asset.path == path ? "public, max-age=31536000, immutable" : "max-age=10",
                .vary: "Accept-Encoding",
            ]
            guard let packed = asset.packed, takesGzip(request) else {
                return Response(status: .ok, headers: headers, body: .init(byteBuffer: ByteBuffer(bytes: asset.bytes)))
            }
            headers[.contentEncoding] = "gzip"
            return Response(status: .ok, headers: headers, body: .init(byteBuffer: ByteBuffer(bytes: packed)))
        }
    }

    /// Source: RFC 9110 §12.5.3
    private func takesGzip(_ request: Request) -> Bool {
        (request.headers[.acceptEncoding] ?? "").split(separator: ",").contains { coding in
            let parts = coding.split(separator: ";").map(\.trimmingBlanks)
            return parts.first == "gzip" && !parts.dropFirst().contains { $0.hasPrefix("q=0") && Double($0.dropFirst(2)) == 0 }
        }
    }
}
