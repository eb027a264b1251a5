import Hummingbird
import UsherCore
import UsherMail
import UsherPipeline
import UsherStore

/// `/admin`: bookings and what became of them, what is stuck and a retry for it, connections, mail, webhooks, the catalogue.
struct AdminPage: Sendable {
    private let context: EngineContext
    private let service: BookingService
    private let hooks: WebhookService
    private let session: AdminSession
    private let views: AdminViews
    private let release: AdminRelease

    private static let retriedAtOnce = 1_000

    /// - Parameter findings: what is wrong with the catalogue's file as it stands now, a line each.
    init(
        _ context: EngineContext, _ service: BookingService, _ hooks: WebhookService, _ session: AdminSession,
        findings: @escaping @Sendable () -> [String]
    ) {
        self.context = context
        self.service = service
        self.hooks = hooks
        self.session = session
        release = AdminRelease(context: context)
        views = AdminViews(context: context, service: service, hooks: hooks, findings: findings)
    }

    func add(to router: Router<WebContext>) {
        router.post("/admin") { request, _ in try await signIn(request) }
        look(router, "/admin") { _, buttons in try await views.overview(buttons) }
        look(router, "/admin/bookings") { call, buttons in
            let query = QueryFields(call.request)
            return try await views.bookings(query.text("q")?.trimmingBlanks ?? "", query, buttons)
        }
        look(router, "/admin/bookings/{id}") { call, buttons in try await views.booking(try call.parameters.require("id"), buttons) }
        look(router, "/admin/stuck/{kind}") { call, buttons in
            try await views.stuck(try call.parameters.require("kind"), QueryFields(call.request), buttons)
        }
        look(router, "/admin/connections") { _, _ in try await views.connections() }
        look(router, "/admin/mail") { _, _ in try await views.mail() }
        look(router, "/admin/webhooks") { _, buttons in try await views.webhooks(buttons) }
        look(router, "/admin/webhooks/{id}") { call, buttons in
            try await views.webhook(try call.parameters.require("id"), QueryFields(call.request), buttons)
        }
        look(router, "/admin/audit") { call, _ in try await views.audit(QueryFields(call.request)) }
        look(router, "/admin/release") { _, buttons in try await release.page(buttons) }
        look(router, "/admin/catalogue") { _, _ in try await views.catalogue() }
        look(router, "/admin/bookings/{id}/cancel") { call, buttons in
            try await views.askToCancel(try call.parameters.require("id"), buttons)
        }
        addPresses(to: router)
    }

    private func addPresses(to router: Router<WebContext>) {
        press(router, "/admin/release") { try await release.press($0) }
        press(router, "/admin/retry") { form in
            _ = try await service.retry(form["booking"] ?? "")
            return "/admin/bookings/\(form["booking"] ?? "")"
        }
        press(router, "/admin/retry-all") { _ in
            try await retryAll()
            return "/admin"
        }
        press(router, "/admin/do") { form in
            try await service.doNow(JobID(kind: form["kind"] ?? "", key: form["subject"] ?? ""))
            return "/admin"
        }
        press(router, "/admin/cancel") { form in
            _ = try await service.cancel(form["booking"] ?? "")
            return "/admin/bookings/\(form["booking"] ?? "")"
        }
        press(router, "/admin/replay") { form in
            _ = try await hooks.replay(form["delivery"] ?? "", of: form["webhook"] ?? "")
            return "/admin/webhooks/\(form["webhook"] ?? "")"
        }
        press(router, "/admin/enable") { form in
            _ = try await hooks.enable(form["webhook"] ?? "")
            return "/admin/webhooks/\(form["webhook"] ?? "")"
        }
        router.post("/admin/signout") { request, _ in
            if let visitor = try await session.visitor(request) { try await session.signOut(visitor.secret) }
            return Page.redirect(to: "/admin")
        }
        router.post("/admin/signout-everywhere") { request, _ in
            guard let visitor = try await session.visitor(request) else { return door }
            guard session.isFormKey((try await request.form())["key"] ?? "", of: visitor.secret) else { return Self.foreign }
            try await Actor.acting("admin:\(visitor.name)") { try await session.signOutEverywhere(visitor) }
            return Page.redirect(to: "/admin")
        }
    }

    /// Each by itself, so that one that cannot be retried keeps none of the others.
    private func retryAll() async throws {
        let now = context.now
        let ids = try await context.store.read { tx in
            let refused = Set(try tx.refusedMails(limit: Self.retriedAtOnce).map(\.bookingID))
            // Nobody wants to be told of a meeting that is over.
            let toCome = try refused.filter { id in try tx.booking(id).map { $0.status == .confirmed && now < $0.end } ?? false }
            return try toCome.union(tx.bookingsInTrouble(from: now, limit: Self.retriedAtOnce).map(\.id))
        }
        let passed: Set<ErrorCode> = [.bookingCancelled, .bookingInPast]
        for kind in try await context.store.read({ try $0.troubledKinds().map(\.kind) }) { try await doNow(kind, now) }
        for id in ids.sorted() {
            do { _ = try await service.retry(id) } catch let error as UsherError where passed.contains(error.code) {}
        }
    }

    private func doNow(_ kind: String, _ now: Instant) async throws {
        var after: (start: Instant, key: String)?
        while true {
            let from = after
            let jobs = try await context.store.write { tx in
                let jobs = try tx.troubledJobs(kind, after: from, limit: Self.retriedAtOnce)
                for job in jobs { _ = try tx.runNow(job.id, now: now) }
                return jobs
            }
            guard jobs.count == Self.retriedAtOnce, let last = jobs.last else { return }
            after = (last.start, last.id.key)
        }
    }

    // MARK: Who may

    private struct Visit: Sendable {
        var request: Request
        var parameters: Parameters
    }

    private func look(
        _ router: Router<WebContext>, _ path: RouterPath,
        _ body: @escaping @Sendable (Visit, AdminButtons) async throws -> AdminViews.Shown
    ) {
        router.get(path) { request, requestContext in
            guard let visitor = try await session.visitor(request) else { return door }
            if visitor.isStale { return Page.redirect(to: SignInLink.leading(to: "\(request.uri)")) }
            let buttons = AdminButtons(formKey: session.formKey(visitor.secret), role: visitor.role)
            let around = AdminViews.around(buttons, visitor.name, at: request.uri.path)
            do {
                let shown = try await body(Visit(request: request, parameters: requestContext.parameters), buttons)
                return Page.response(.ok, shown.title, release.banner + shown.html, around: around)
            } catch let error as UsherError where error.code == .notFound {
                return Page.response(.notFound, "Not here", "<p>\(error.message)</p>", around: around)
            }
        }
    }

    /// A press leads back to where it was made; what goes wrong is shown on a page, not as JSON.
    private func press(
        _ router: Router<WebContext>, _ path: RouterPath, _ body: @escaping @Sendable ([String: String]) async throws -> String
    ) {
        router.post(path) { request, _ in
            guard let visitor = try await session.visitor(request) else { return door }
            let form = try await request.form()
            guard session.isFormKey(form["key"] ?? "", of: visitor.secret) else { return Self.foreign }
            guard !visitor.isStale else { return Self.stale }
            guard AdminButtons(formKey: "", role: visitor.role).allow("\(path)") else {
                try await Actor.acting("admin:\(visitor.name)") {
                    try await context.auditRefusal("admin.press", outcome: ErrorCode.authForbidden.rawValue)
                }
                return Self.notAllowed(visitor.role)
            }
            do {
                return Page.redirect(to: try await Actor.acting("admin:\(visitor.name)") { try await body(form) })
            } catch let error as UsherError {
                return Page.response(
                    .badRequest, "That did not work",
                    "<p>\(error.message)</p>\(Page.list(error.findings.map(\.detail)))\(Page.back(to: "/admin", "Back"))")
            }
        }
    }

    private func signIn(_ request: Request) async throws -> Response {
        guard let cookie = try await session.signIn(Secret((try await request.form())["key"]?.trimmingBlanks ?? "")) else {
            return Page.response(
                .unauthorized, "That key opens nothing here",
                "<p>It must be the key of USHER_API_KEY, or one with the scope admin.</p>" + waysIn)
        }
        return Page.redirect(to: "/admin", cookies: [cookie])
    }

    private static var foreign: Response {
        Page.response(
            .forbidden, "This did not come from the admin's page", Page.back(to: "/admin", "Open it") + "<p>and press there.</p>")
    }

    private static var stale: Response {
        Page.response(
            .unauthorized, "Who you are is to be asked again",
            "<p>Nothing was pressed: it is an hour since the sign-in service last said so.</p>" + Page.back(to: "/admin", "Go on"))
    }

    private static func notAllowed(_ role: AdminRole) -> Response {
        Page.response(
            .forbidden, "That is not yours to press",
            "<p>You are signed in as \(role.rawValue). Nothing was changed; whoever keeps USHER_OIDC_ROLES can give your group more.</p>"
                + Page.back(to: "/admin", "Back"))
    }

    private var door: Response { Page.response(.unauthorized, "Usher, for its admin", waysIn) }

    private var waysIn: HTML {
        (context.settings.openID == nil ? "" : SignInLink.button(leadingTo: "/admin")) + Self.keyForm
    }

    static let keyForm: HTML = """
        <form class=stack method=post action="/admin"><label for=key>An admin's API key</label>
        <input id=key name=key type=password required autocomplete=current-password><button class=button>Sign in</button></form>
        """
}
