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
                MessagePart(
                    lines: [
                        "The meetings of \(owner.name) (\(owner.email)) at \(site) will be made in the \(service.name) account that you sign in to next.",
                        "Go on only if you are \(owner.name).",
                    ], buttons: [FormButton("Continue to \(service.name)", action: path, key: nil, fields: [("consent", id)])]
                ).html)
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
                MessagePart(notice: NoticePart(.warn, error.message, isUrgent: true), ways: [Self.ownersPage]).html)
        } catch let error as ProviderError {
            let notice = NoticePart(.warn, error.message, error.remedy, isUrgent: true)
            return Page.response(.ok, "This cannot be connected now", MessagePart(notice: notice).html)
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
        return Page.response(
            .ok, "Nothing was changed", MessagePart(lines: ["You can close this page."], ways: [Self.ownersPage]).html)
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
                MessagePart(
                    notice: NoticePart(.good, "\(connection.account.email) is connected."),
                    lines: ["Meetings that waited for it are being made now. You can close this page."]
                ).html)
        case .asks(let id, "", let to, let service):
            return ask(
                id, "Is this the right account?",
                [
                    "You have agreed as \(to), which is not your mail address here. Your meetings will be made in that \(service) account."
                ], yes: "Yes, use \(to)", no: "No, connect nothing")
        case .asks(let id, let from, let to, let service):
            return ask(
                id, "Connect another account?",
                [
                    "Until now your meetings were made in the \(service) account \(from). You have just agreed as \(to).",
                    "Bookings that are made keep their links; the old account's meetings cannot be moved or removed from here any more.",
                ], yes: "Use \(to)", no: "Keep \(from)")
        case .refused(let refusal, let owner, let service):
            let (title, lines) = words(refusal, service)
            return Page.response(.badRequest, title, MessagePart(lines: lines, ways: owner == nil ? [] : [Self.ownersPage]).html)
        }
    }

    private static let ownersPage = WayPart(wayPath: "/owners/me", wayName: "Open your page")

    private func ask(_ id: String, _ title: String, _ lines: [String], yes: String, no: String) -> Response {
        let fields = [("consent", id)]
        let message = MessagePart(
            lines: lines,
            buttons: [
                FormButton(yes, action: "/auth/confirm", key: nil, fields: fields),
                FormButton(no, action: "/auth/keep", key: nil, fields: fields, isPlain: true),
            ])
        return Page.response(.ok, title, message.html)
    }

    /// What happened, and what to do next.
    private func words(_ refusal: Consents.Refusal, _ service: String) -> (title: String, lines: [String]) {
        let again = "Go back to your page and press Connect again. Nothing was changed."
        switch refusal {
        case .unknownState: return ("This did not come from here", ["The address that you opened was not made by this server.", again])
        case .expired: return ("That took too long", ["A consent must be finished within ten minutes.", again])
        case .alreadyUsed: return ("This was finished already", ["The page was opened a second time; the first time counted.", again])
        case .otherBrowser:
            return ("Another browser began this", ["Finish in the browser in which you pressed Connect, with cookies allowed.", again])
        case .signedOut:
            return ("You are signed out", ["This was begun on your page, and you are not signed in there any more. Nothing was changed."])
        case .declined(let code, let description): return declined(code, description, service, again)
        case .noCode:
            return (
                "\(service) did not agree",
                [
                    "\(service) sent you back without a permission. Either you pressed Decline, or your organisation's administrator must allow the app first."
                ] + approval(service) + [again]
            )
        case .missing(let abilities):
            return (
                "A permission is missing",
                [
                    "Without the permission to \(abilities.map(\.name).joined(separator: " and to ")) no meeting can be made.",
                    "Press Connect again and leave all boxes ticked. If there are none, the admin of this server adds the scope \(abilities.compactMap(\.scopes.first).joined(separator: ", ")) to the app.",
                ]
            )
        case .failed(let error): return ("\(service) could not be connected", [error.message, error.remedy, again])
        }
    }

    /// Source of the codes: RFC 6749 §4.1.2.1 and https://developers.google.com/identity/protocols/oauth2/web-server
    private func declined(_ code: String, _ description: String, _ service: String, _ again: String) -> (String, [String]) {
        switch code {
        case "access_denied": return ("You did not agree", ["\(service) was told not to connect.", again])
        case "admin_policy_enforced", "org_internal", "unauthorized_client":
            return (
                "Your organisation must allow this first",
                ["\(service) lets an administrator decide about apps."] + approval(service) + [again]
            )
        case "redirect_uri_mismatch", "invalid_request", "deleted_client":
            return (
                "The app is not set up right",
                [
                    "\(service) says: \(code) \(description).",
                    "The admin of this server compares the redirect address of the app with the one that `usher doctor` shows.",
                ]
            )
        default: return ("\(service) did not agree", ["It says: \(code) \(description)", again])
        }
    }

    /// What an administrator is asked for.
    private func approval(_ service: String) -> [String] {
        let place = services.first { $0.name == service }.map { " (\($0.approval))" } ?? ""
        return [
            "Send this to your administrator:",
            "“Please pre-approve the scheduling app for our \(service) account\(place), so that I can connect it. It makes, moves and removes my own meetings.”",
            "If the app is not published yet, only people of the account that made it can connect it.",
        ]
    }
}
