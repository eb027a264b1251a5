import Hummingbird
import NIOCore
import UsherCore
import UsherMail
import UsherPipeline
import UsherStore

/// The way of a browser to a provider's consent page and back. The paths are registered at the services, so they never change.
struct ConsentRoutes: Sendable {
    private let context: EngineContext
    private let consents: Consents
    private let cookie: SessionCookie
    private let ownerCookie: SessionCookie

    init(_ context: EngineContext) {
        self.context = context
        consents = Consents(context)
        cookie = SessionCookie(SessionCookie.consent, context.settings.publicURL)
        ownerCookie = SessionCookie(SessionCookie.owner, context.settings.publicURL)
    }

    private var services: [ConsentDescriptor] {
        var seen: Set<String> = []
        return context.registry.modules.compactMap { ($0 as? any ConnectableProvider.Type)?.consent }.filter {
            seen.insert($0.service).inserted
        }
    }

    func add(to router: Router<WebContext>) {
        for service in services {
            let path = "/auth/\(service.service)/start"
            router.get(RouterPath(path)) { request, _ in try await ask(request, path) }
            router.post(RouterPath(path)) { request, _ in try await start(request) }
            router.get(RouterPath(service.callbackPath)) { request, _ in try await back(request, service.service) }
        }
        router.post("/auth/confirm") { request, _ in try await confirm(request) }
        router.post("/auth/keep") { request, _ in try await keep(request) }
    }

    /// Names the owner and the site, and asks for a press: nobody agrees in another's name by opening a link.
    private func ask(_ request: Request, _ path: String) async throws -> Response {
        let id = request.uri.queryParameters.get("consent") ?? ""
        return try await telling {
            let (owner, service) = try await consents.look(id, session: ownerCookie.value(in: request))
            let site = context.catalog.current.site.name
            return Page.response(
                .ok, "Connect \(service.name) for \(owner.name)?",
                """
                <p>The meetings of <strong>\(owner.name)</strong> (\(owner.email)) at
                <strong>\(site)</strong> will be made in the \(service.name) account that you sign in to next.</p>
                <p>Go on only if you are \(owner.name).</p>
                \(Page.button("Continue to \(service.name)", action: path, key: nil, fields: [("consent", id)]))
                """)
        }
    }

    /// Gives the browser a cookie of its own, so that no other one can finish what it began, and sends it on.
    private func start(_ request: Request) async throws -> Response {
        let browser = Secret(context.environment.code(bits: 160))
        let form = try await request.form()
        return try await telling {
            let (id, session) = (form["consent"] ?? "", ownerCookie.value(in: request))
            let service = try await consents.look(id, session: session).service.name
            let url = try await consents.start(id, browser: browser, session: session)
            return Page.onward(
                to: url, "Off to \(service)", "Continue to \(service)", cookies: [cookie.setting(browser, for: Consents.lifetime)])
        }
    }

    private func telling(_ body: () async throws -> Response) async throws -> Response {
        do { return try await body() } catch let error as UsherError {
            return Page.response(
                error.code == .authForbidden ? .forbidden : .gone, "This cannot be opened",
                "<p>\(error.message)</p>" + Page.back(to: "/owners/me", "Open your page"))
        } catch let error as ProviderError {
            return Page.response(.ok, "This cannot be connected now", "<p>\(error.message) \(error.remedy)</p>")
        }
    }

    private func back(_ request: Request, _ service: String) async throws -> Response {
        let query = request.uri.queryParameters
        let error = query.get("error").map { ($0, query.get("error_description") ?? "") }
        let outcome = try await consents.finish(
            service: service, state: query.get("state"), code: query.get("code"), error: error, browser: cookie.value(in: request),
            session: ownerCookie.value(in: request))
        if case .refused(let refusal, _, _) = outcome { try await context.auditRefusal("connection.connect", outcome: refusal.name) }
        return page(outcome)
    }

    private func keep(_ request: Request) async throws -> Response {
        let form = try await request.form()
        let returnTo = try await consents.decline(form["consent"] ?? "", browser: cookie.value(in: request))
        if let returnTo, !returnTo.isEmpty { return Page.onward(to: returnTo, "Nothing was changed", "Continue") }
        return Page.response(.ok, "Nothing was changed", "<p>You can close this page.</p>" + Page.back(to: "/owners/me", "Open your page"))
    }

    private func confirm(_ request: Request) async throws -> Response {
        let form = try await request.form()
        return page(
            try await consents.confirm(
                form["consent"] ?? "", browser: cookie.value(in: request), session: ownerCookie.value(in: request)))
    }

    // MARK: Pages

    private func page(_ outcome: Consents.Outcome) -> Response {
        switch outcome {
        case .connected(let connection, let returnTo):
            if !returnTo.isEmpty { return Page.onward(to: returnTo, "Connected", "Continue") }
            return Page.response(
                .ok, "Connected",
                "<p class=good>\(connection.account.email) is connected.</p><p>Meetings that waited for it are being made now. You can close this page.</p>"
            )
        case .asks(let id, "", let to, let service):
            return Page.response(
                .ok, "Is this the right account?",
                """
                <p>You have agreed as <strong>\(to)</strong>, which is not your mail address here.
                Your meetings will be made in that \(service) account.</p>
                \(Page.button("Yes, use \(to)", action: "/auth/confirm", key: nil, fields: [("consent", id)]))
                \(Page.button("No, connect nothing", action: "/auth/keep", key: nil, fields: [("consent", id)], isPlain: true))
                """)
        case .asks(let id, let from, let to, let service):
            return Page.response(
                .ok, "Connect another account?",
                """
                <p>Until now your meetings were made in the \(service) account <strong>\(from)</strong>.
                You have just agreed as <strong>\(to)</strong>.</p>
                <p>Bookings that are made keep their links; the old account's meetings cannot be moved or removed from here any more.</p>
                \(Page.button("Use \(to)", action: "/auth/confirm", key: nil, fields: [("consent", id)]))
                \(Page.button("Keep \(from)", action: "/auth/keep", key: nil, fields: [("consent", id)], isPlain: true))
                """)
        case .refused(let refusal, let owner, let service):
            let (title, body) = words(refusal, service)
            let again: HTML = owner == nil ? "" : "<p><a href=\"/owners/me\">Back to your page</a></p>"
            return Page.response(.badRequest, title, body + again)
        }
    }

    /// What happened, and what to do next.
    private func words(_ refusal: Consents.Refusal, _ service: String) -> (title: String, body: HTML) {
        let again: HTML = "<p>Go back to your page and press Connect again. Nothing was changed.</p>"
        switch refusal {
        case .unknownState:
            return ("This did not come from here", "<p>The address that you opened was not made by this server.</p>\(again)")
        case .expired: return ("That took too long", "<p>A consent must be finished within ten minutes.</p>\(again)")
        case .alreadyUsed: return ("This was finished already", "<p>The page was opened a second time; the first time counted.</p>\(again)")
        case .otherBrowser:
            return (
                "Another browser began this", "<p>Finish in the browser in which you pressed Connect, with cookies allowed.</p>\(again)"
            )
        case .signedOut:
            return (
                "You are signed out", "<p>This was begun on your page, and you are not signed in there any more. Nothing was changed.</p>"
            )
        case .declined(let code, let description): return declined(code, description, service, again)
        case .noCode:
            return (
                "\(service) did not agree",
                """
                <p>\(service) sent you back without a permission. Either you pressed Decline, or your organisation's administrator must
                allow the app first.</p>\(approval(service))\(again)
                """
            )
        case .missing(let abilities):
            return (
                "A permission is missing",
                "<p>Without the permission to \(abilities.map(\.name).joined(separator: " and to ")) no meeting can be made.</p><p>Press Connect again and leave all boxes ticked. If there are none, the admin of this server adds the scope \(abilities.compactMap(\.scopes.first).joined(separator: ", ")) to the app.</p>"
            )
        case .failed(let error):
            return ("\(service) could not be connected", "<p>\(error.message)</p><p>\(error.remedy)</p>\(again)")
        }
    }

    /// Source of the codes: RFC 6749 §4.1.2.1 and https://developers.google.com/identity/protocols/oauth2/web-server
    private func declined(_ code: String, _ description: String, _ service: String, _ again: HTML) -> (String, HTML) {
        switch code {
        case "access_denied": return ("You did not agree", "<p>\(service) was told not to connect.</p>\(again)")
        case "admin_policy_enforced", "org_internal", "unauthorized_client":
            return (
                "Your organisation must allow this first",
                "<p>\(service) lets an administrator decide about apps.</p>\(approval(service))\(again)"
            )
        case "redirect_uri_mismatch", "invalid_request", "deleted_client":
            return (
                "The app is not set up right",
                "<p>\(service) says: \(code) \(description).</p><p>The admin of this server compares the redirect address of the app with the one that `usher doctor` shows.</p>"
            )
        default: return ("\(service) did not agree", "<p>It says: \(code) \(description)</p>\(again)")
        }
    }

    private func approval(_ service: String) -> HTML {
        let place = services.first { $0.name == service }.map { " (\($0.approval))" } ?? ""
        return """
            <p>Send this to your administrator:</p><blockquote>Please pre-approve the scheduling app for our \(service) account\(place),
            so that I can connect it. It makes, moves and removes my own
            meetings.</blockquote><p>If the app is not published yet, only people of the account that made it can connect it.</p>
            """
    }
}
