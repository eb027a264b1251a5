import HTTPTypes
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

    /// - Parameter findings: what is wrong with the catalogue's file as it stands now.
    init(
        _ context: EngineContext, _ service: BookingService, _ hooks: WebhookService, _ session: AdminSession,
        findings: @escaping @Sendable () -> [CatalogFinding]
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
        router.get("/admin/live") { request, _ in
            guard let visitor = try await session.visitor(request), !visitor.isStale else {
                throw UsherError(.authMissing, "Sign in at /admin.")
            }
            return LiveEvents(changes: context.changes).response
        }
        look(router, "/admin") { _, buttons in try await views.overview(buttons) }
        look(router, "/admin/bookings") { call, _ in
            let query = QueryFields(call.request)
            return try await views.bookings(query.text("q")?.replacing("+", with: " ").trimmingBlanks ?? "", query)
        }
        look(router, "/admin/bookings/{id}") { call, buttons in try await views.booking(try call.parameters.require("id"), buttons) }
        look(router, "/admin/stuck/{kind}") { call, buttons in
            try await views.stuck(try call.parameters.require("kind"), QueryFields(call.request), buttons)
        }
        look(router, "/admin/retry-all") { _, buttons in try await askToRetryAll(buttons) }
        look(router, "/admin/connections") { _, _ in try await views.connections() }
        look(router, "/admin/mail") { _, _ in try await views.mail() }
        look(router, "/admin/webhooks") { _, buttons in try await views.webhooks(buttons) }
        look(router, "/admin/webhooks/{id}") { call, buttons in
            try await views.webhook(try call.parameters.require("id"), QueryFields(call.request), buttons)
        }
        look(router, "/admin/audit") { call, _ in try await views.audit(QueryFields(call.request)) }
        look(router, "/admin/release") { _, buttons in try await release.page(buttons) }
        look(router, "/admin/style") { _, _ in AdminStyle.page(now: context.now) }
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
        router.post("/admin/style") { _, _ in Page.redirect(to: "/admin/style") }
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
        let trouble = try await Trouble(context)
        let passed: Set<ErrorCode> = [.bookingCancelled, .bookingInPast]
        for kind in trouble.kinds { try await doNow(kind.kind, now) }
        for booking in trouble.bookings {
            do { _ = try await service.retry(booking.id) } catch let error as UsherError where passed.contains(error.code) {}
        }
    }

    /// What a retry of everything would do.
    private func askToRetryAll(_ buttons: AdminButtons) async throws -> AdminViews.Shown {
        let trouble = try await Trouble(context)
        let rows = trouble.bookings.prefix(AdminViews.most).map { booking -> [Cell] in
            [
                .time(booking.start), .link("/admin/bookings/\(booking.id)", booking.title),
                .text(booking.meeting.problem?.message ?? "A mail was refused."),
            ]
        }
        let count = trouble.bookings.count
        let mostSaid = count >= Trouble.most ? "the first \(count)" : "\(count)"
        return .init(
            title: "Retry all that is in trouble?",
            sections: [
                SectionPart(
                    lines: trouble.isEmpty
                        ? ["Nothing is in trouble."]
                        : ["Rooms are asked for again and refused mails sent again, for \(mostSaid) bookings to come."],
                    table: TablePart(["Start", "Booking", "Problem"], Array(rows), empty: "No booking is in trouble."),
                    points: count > rows.count ? SectionPart.points(["… and \(count - rows.count) more"]) : nil),
                SectionPart(
                    heading: "Stuck work that is done at once",
                    points: SectionPart.points(trouble.kinds.map { "\($0.kind): \($0.count)" }),
                    actions: trouble.isEmpty ? nil : SectionPart.actions(buttons("Yes, retry all", action: "/admin/retry-all")),
                    ways: [WayPart(wayPath: "/admin", wayName: "No, leave it")]),
            ])
    }

    private func doNow(_ kind: String, _ now: Instant) async throws {
        var after: (start: Instant, key: String)?
        while true {
            let from = after
            let jobs = try await context.store.write { tx in
                let jobs = try tx.troubledJobs(kind, after: from, limit: Trouble.most)
                for job in jobs { _ = try tx.runNow(job.id, now: now) }
                return jobs
            }
            guard jobs.count == Trouble.most, let last = jobs.last else { return }
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
                return Page.response(.ok, shown.title, HTML(release.banner + shown.sections), around: around)
            } catch let error as UsherError where error.code == .notFound {
                return Page.response(.notFound, "Not here", MessagePart(lines: [error.message]).html, around: around)
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
                let message = MessagePart(
                    notice: NoticePart(.bad, error.message, isUrgent: true), lines: error.findings.map(\.detail),
                    ways: [WayPart(wayPath: "/admin", wayName: "Back")])
                return Page.response(.badRequest, "That did not work", message.html)
            }
        }
    }

    private func signIn(_ request: Request) async throws -> Response {
        guard let cookie = try await session.signIn(Secret((try await request.form())["key"]?.trimmingBlanks ?? "")) else {
            let notice = NoticePart(.bad, "It must be the key of USHER_API_KEY, or one with the scope admin.", isUrgent: true)
            return Page.response(.unauthorized, "That key opens nothing here", Door(context, notice).html)
        }
        return Page.redirect(to: "/admin", cookies: [cookie])
    }

    private static func refused(
        _ status: HTTPTypes.HTTPResponse.Status, _ title: String, _ line: String, _ wayOn: String
    ) -> Response {
        let message = MessagePart(lines: [line], ways: [WayPart(wayPath: "/admin", wayName: wayOn)])
        return Page.response(status, title, message.html)
    }

    private static var foreign: Response {
        refused(.forbidden, "This did not come from the admin's page", "Open it, and press there.", "Open it")
    }

    private static var stale: Response {
        refused(
            .unauthorized, "Who you are is to be asked again",
            "Nothing was pressed: it is an hour since the sign-in service last said so.", "Go on")
    }

    private static func notAllowed(_ role: AdminRole) -> Response {
        refused(
            .forbidden, "That is not yours to press",
            "You are signed in as \(role.rawValue). Nothing was changed; whoever keeps USHER_OIDC_ROLES can give your group more.", "Back")
    }

    private var door: Response { Page.response(.unauthorized, "Usher, for its admin", Door(context).html) }

    /// The values of `key.html.mustache`: the ways in.
    struct Door {
        /// Where people sign in, where they can.
        var organisation: String?
        var notice: NoticePart?
        /// Under which the form is folded away.
        var summary: String?

        init(_ context: EngineContext, _ notice: NoticePart? = nil) {
            organisation = context.settings.openID == nil ? nil : SignInLink.leading(to: "/admin")
            self.notice = notice
        }

        /// The form for a key alone, for who is most likely somebody else.
        init(summary: String) { self.summary = summary }

        var html: HTML { HTML(.key, self) }
    }
}
