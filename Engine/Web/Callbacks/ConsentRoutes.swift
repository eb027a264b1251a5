import HTTPTypes
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
            router.get(RouterPath(path)) { request, _ in try await ask(request, service.name, path) }
            router.post(RouterPath(path)) { request, _ in try await start(request, service.name) }
            router.get(RouterPath(service.callbackPath)) { request, _ in try await back(request, service.service) }
        }
        router.post("/auth/confirm") { request, _ in try await confirm(request) }
        router.post("/auth/keep") { request, _ in try await keep(request) }
    }

    /// Names the owner and the site, and asks for a press: nobody agrees in another's name by opening a link.
    private func ask(_ request: Request, _ service: String, _ path: String) async throws -> Response {
        let id = request.uri.queryParameters.get("consent") ?? ""
        return try await telling(id, service) { words in
            let (owner, service) = try await consents.look(id, session: ownerCookie.value(in: request))
            let values = [
                "service": service.name, "name": owner.name, "account": owner.email, "site": context.catalog.current.site.name,
            ]
            let message = MessagePart(
                lines: [words.consent(.connectForText, values), words.consent(.onlyIf, values)],
                buttons: [FormButton(words.consent(.continueTo, values), action: path, key: nil, fields: [("consent", id)])])
            return Page.response(.ok, words.consent(.connectFor, values), message.html, words: words.page)
        }
    }

    /// Gives the browser a cookie of its own, so that no other one can finish what it began, and sends it on.
    private func start(_ request: Request, _ service: String) async throws -> Response {
        let browser = Secret(context.environment.code(bits: 160))
        let form = try await request.form()
        let id = form["consent"] ?? ""
        return try await telling(id, service) { words in
            let session = ownerCookie.value(in: request)
            let values = ["service": try await consents.look(id, session: session).service.name]
            let url = try await consents.start(id, browser: browser, session: session)
            return Page.onward(
                to: url, words.consent(.offTo, values), words.consent(.continueTo, values), words: words.page,
                cookies: [cookie.setting(browser, for: Consents.lifetime)])
        }
    }

    private func telling(_ id: String, _ service: String, _ body: (OwnerWords) async throws -> Response) async throws -> Response {
        let words = try await words(for: id)
        func page(_ status: HTTPTypes.HTTPResponse.Status, _ title: OwnerWords.ConsentKey, _ lines: [String]) -> Response {
            let message = MessagePart(lines: lines, ways: [Self.ownersPage(words)])
            return Page.response(status, words.consent(title), message.html, words: words.page)
        }
        do { return try await body(words) } catch let error as UsherError where error.code == .authForbidden {
            return page(.forbidden, .signedOut, [words.consent(.signedOutText)])
        } catch let error as UsherError where error.code == .notFound {
            return page(.gone, .cannotOpen, [words.consent(.expiredText), words.consent(.again)])
        } catch let error as ProviderError { return page(.ok, .cannotConnect, words.lines(error.problem, service: service)) }
    }

    private func back(_ request: Request, _ service: String) async throws -> Response {
        let query = request.uri.queryParameters
        let error = query.get("error").map { ($0, query.get("error_description") ?? "") }
        let outcome = try await consents.finish(
            service: service, state: query.get("state"), code: query.get("code"), error: error, browser: cookie.value(in: request),
            session: ownerCookie.value(in: request))
        if case .refused(let refusal, _, _) = outcome { try await context.auditRefusal("connection.connect", outcome: refusal.name) }
        return try await page(outcome)
    }

    private func keep(_ request: Request) async throws -> Response {
        let id = (try await request.form())["consent"] ?? ""
        let words = try await words(for: id)
        let returnTo = try await consents.decline(id, browser: cookie.value(in: request))
        if let returnTo, !returnTo.isEmpty { return Self.onward(returnTo, words.page(.unchanged), words) }
        let message = MessagePart(lines: [words.consent(.closePage)], ways: [Self.ownersPage(words)])
        return Page.response(.ok, words.page(.unchanged), message.html, words: words.page)
    }

    private func confirm(_ request: Request) async throws -> Response {
        let form = try await request.form()
        return try await page(
            try await consents.confirm(
                form["consent"] ?? "", browser: cookie.value(in: request), session: ownerCookie.value(in: request)))
    }

    // MARK: Pages

    /// In the language of the owner whose consent it is; of a stranger there is the browser's.
    private func words(for consent: String) async throws -> OwnerWords {
        OwnerWords(try await consents.language(of: consent) ?? SiteFrame.current.language)
    }

    private func words(of owner: String?) async throws -> OwnerWords {
        let known = try await context.store.read { tx in try owner.flatMap { try tx.owner($0)?.owner.language } }
        return OwnerWords(known ?? SiteFrame.current.language)
    }

    private static func ownersPage(_ words: OwnerWords) -> WayPart { WayPart(wayPath: "/owners/me", wayName: words(.openPage)) }

    private static func onward(_ url: String, _ title: String, _ words: OwnerWords) -> Response {
        Page.onward(to: url, title, words.consent(.continue), words: words.page)
    }

    private func page(_ outcome: Consents.Outcome) async throws -> Response {
        switch outcome {
        case .connected(let connection, let returnTo):
            let words = try await words(of: connection.ownerID)
            let title = words.consent(.connected, ["account": connection.account.email])
            if !returnTo.isEmpty { return Self.onward(returnTo, title, words) }
            let message = MessagePart(lines: [words.consent(.connectedText), words.consent(.closePage)])
            return Page.response(.ok, title, message.html, words: words.page)
        case .asks(let id, let owner, let former, let account, let service):
            let words = try await words(of: owner)
            let values = ["account": account, "former": former, "service": service]
            let isFirst = former.isEmpty
            let message = MessagePart(
                lines: [words.consent(isFirst ? .rightAccountText : .otherAccountText, values)],
                buttons: [
                    FormButton(
                        words.consent(isFirst ? .yesUse : .use, values), action: "/auth/confirm", key: nil, fields: [("consent", id)]),
                    FormButton(
                        isFirst ? words.consent(.connectNothing) : words.consent(.keep, ["account": former]), action: "/auth/keep",
                        key: nil, fields: [("consent", id)], isPlain: true),
                ])
            return Page.response(.ok, words.consent(isFirst ? .rightAccount : .otherAccount), message.html, words: words.page)
        case .refused(let refusal, let owner, let service):
            let words = try await words(of: owner)
            let (title, lines) = RefusalWords(words, service, approval: services.first { $0.name == service }?.approval).of(refusal)
            let message = MessagePart(lines: lines, ways: owner == nil ? [] : [Self.ownersPage(words)])
            return Page.response(.badRequest, title, message.html, words: words.page)
        }
    }
}
