import Hummingbird
import UsherCore
import UsherPipeline

/// Has every page of a request end with the site's links to what it says of privacy and terms.
struct SiteLinks: RouterMiddleware {
    let catalog: CatalogHolder

    /// Of the request at hand.
    @TaskLocal static var current: (privacy: String?, terms: String?) = (nil, nil)

    func handle(
        _ request: Request, context: WebContext, next: (Request, WebContext) async throws -> Response
    ) async throws -> Response {
        let site = catalog.current.site
        return try await Self.$current.withValue((site.privacy, site.terms)) { try await next(request, context) }
    }
}
