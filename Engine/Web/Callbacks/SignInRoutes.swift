import HTTPTypes
import Hummingbird
import Logging
import UsherCore
import UsherPipeline

/// The way of a browser to the OpenID provider and back: to `/admin`, or to the owner's page.
struct SignInRoutes: Sendable {
    private let context: EngineContext
    private let signIn: SignIn
    private let session: AdminSession
    private let ownerCookie: SessionCookie
    /// Each leads to calls of ours; an office has one address.
    private let limiter: RateLimiter

    private static let ownersPage = "/owners/me"

    /// `nil` where no provider is configured.
    init?(_ context: EngineContext, _ session: AdminSession) {
        guard let signIn = SignIn(context) else { return nil }
        self.context = context
        self.signIn = signIn
        self.session = session
        ownerCookie = SessionCookie(SessionCookie.owner, context.settings.publicURL)
        limiter = context.limits.limiter("sign-ins", burst: 100, perMinute: 60)
    }

    func add(to router: Router<WebContext>) {
        router.get(RouterPath(SignInLink.path)) { request, _ in
            try await telling { try await start(request.uri.queryParameters.get("to") ?? Self.ownersPage) }
        }
        router.get(RouterPath(OpenIDProvider.callbackPath)) { request, _ in try await back(request) }
    }

    private func start(_ path: String) async throws -> Response {
        // To no other site, and to no page that does not ask who one is.
        let isOurs =
            path.utf8.allSatisfy { $0 > 32 && $0 < 127 }
            && (path == Self.ownersPage || path == "/admin" || path.hasPrefix("/admin/") || path.hasPrefix("/admin?"))
        // Whoever waits for another service takes no place from others.
        let begun = try await Admission.waiting { try await signIn.begin(returnTo: isOurs ? path : Self.ownersPage) }
        return Page.redirect(to: begun.url, cookies: [cookie(begun.state).setting(begun.journey, for: SignIn.lifetime)])
    }

    /// One for each sign-in, so that those of several tabs do not end each other.
    private func cookie(_ state: String) -> SessionCookie {
        let mark = state.prefix(8).filter { $0.isASCII && ($0.isLetter || $0.isNumber) }
        return SessionCookie("\(SessionCookie.signIn)_\(mark)", context.settings.publicURL)
    }

    private func back(_ request: Request) async throws -> Response {
        let query = request.uri.queryParameters
        let words = [query.get("error"), query.get("error_description")].compactMap(\.self).joined(separator: ": ")
        return try await telling {
            let cookie = cookie(query.get("state") ?? "")
            let (person, path) = try await Admission.waiting {
                try await signIn.finish(
                    state: query.get("state"), code: query.get("code"), error: words.isEmpty ? nil : words, issuer: query.get("iss"),
                    journey: cookie.value(in: request))
            }
            let entered =
                path.hasPrefix("/admin")
                ? try await session.signIn(person, as: signIn.role(of: person))
                : ownerCookie.setting(try await signIn.ownerSession(of: person), for: OwnerService.longestSession)
            return Page.redirect(to: path, cookies: [entered, cookie.ended])
        }
    }

    /// What went wrong, on a page.
    private func telling(_ body: () async throws -> Response) async throws -> Response {
        guard limiter.take(TrustedProxies.group(Actor.current.address)).isAllowed else {
            return Page.response(
                .tooManyRequests, "That was often", MessagePart(lines: ["Many sign-ins came from your network. Wait a minute."]).html)
        }
        do { return try await body() } catch let refusal as SignInRefusal {
            try await context.auditRefusal("sign-in", outcome: refusal.code.rawValue)
            context.logger.warning("nobody was signed in", metadata: ["code": "\(refusal.code.rawValue)", "reason": "\(refusal.reason)"])
            let status: HTTPTypes.HTTPResponse.Status =
                switch refusal.code {
                case .unknownPerson: .forbidden
                case .unavailable: .serviceUnavailable
                case .notBegunHere, .declined, .untrusted: .badRequest
                }
            return Page.response(
                status, "You are not signed in",
                MessagePart(
                    notice: NoticePart(.warn, refusal.message, isUrgent: true),
                    ways: [WayPart(wayPath: Self.ownersPage, wayName: "Your page, as an owner")]
                ).html
                    // A key opens the admin's page whatever the service does.
                    + AdminPage.Door(summary: "For an admin with a key").html)
        }
    }
}
