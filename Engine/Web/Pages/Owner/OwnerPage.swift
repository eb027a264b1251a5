import Hummingbird
import NIOCore
import UsherCore
import UsherMail
import UsherPipeline
import UsherStore

/// `/owners/…`: the owner's page. A one-time link signs in by a press, so that a mail scanner uses nothing up; every press bears the
/// session's key, so that no other site can press.
struct OwnerPage: Sendable {
    private let context: EngineContext
    private let service: BookingService
    private let owners: OwnerService
    private let cookie: Cookie
    /// Sign-in links that are asked for from one address.
    private let asks: RateLimiter
    private static let bookingsShown = 20
    private static let bookingsRead = 100
    private static let typesShown = 100

    init(_ context: EngineContext, _ service: BookingService) {
        self.context = context
        self.service = service
        owners = OwnerService(context)
        cookie = Cookie(Cookie.owner, context.settings.publicURL)
        asks = RateLimiter(burst: 10, perMinute: 1, now: context.environment.now)
    }

    func add(to router: Router<WebContext>) {
        router.get("/owners/signin/{token}") { _, parameters in try await invite(try parameters.parameters.require("token")) }
        router.post("/owners/signin/{token}") { _, parameters in try await signIn(try parameters.parameters.require("token")) }
        router.get("/owners/signin") { _, _ in Page.redirect(to: "/owners/me") }
        router.post("/owners/signin") { request, _ in
            let address = (try await request.form())["email"]?.trimmingBlanks ?? ""
            guard asks.take(TrustedProxies.group(Actor.current.address)).isAllowed else { return Self.askedTooOften }
            try await owners.mailSignInLink(to: address)
            return Self.mailed
        }
        router.get("/owners/me") { request, _ in
            guard let (secret, owner) = try await session(request) else { return Self.signedOut }
            return try await page(owner, key: owners.formKey(secret))
        }
        press(router, "/owners/me/default") { owner, form, _ in
            let provider = form["provider"] ?? ""
            _ = try await owners.setDefault(provider.isEmpty ? nil : provider, of: owner.owner.id)
            return Page.redirect(to: "/owners/me")
        }
        press(router, "/owners/me/connect") { owner, form, secret in
            let begun = try await Consents(context).begin(
                owner: owner.owner.id, provider: form["provider"] ?? "", returnTo: context.settings.publicURL + "/owners/me",
                session: secret
            ).value
            return Page.onward(to: "/auth/\(begun.service)/start?consent=\(begun.id)", "Off to \(begun.name)", "Continue to \(begun.name)")
        }
        press(router, "/owners/me/disconnect") { owner, form, _ in
            let provider = form["provider"] ?? ""
            guard form["sure"] == "yes" else { return try disconnectQuestion(provider, key: form["key"] ?? "") }
            try await Connections(context).disconnect(owner: owner.owner.id, provider: provider)
            return Page.redirect(to: "/owners/me")
        }
        press(router, "/owners/me/app") { owner, form, _ in
            let webhookSecret = form["webhookSecret"] ?? ""
            let app = OwnerApps.App(
                clientID: form["clientId"]?.trimmingBlanks ?? "", clientSecret: Secret(form["clientSecret"]?.trimmingBlanks ?? ""),
                webhookSecret: webhookSecret.isEmpty ? nil : Secret(webhookSecret.trimmingBlanks))
            _ = try await OwnerApps(context).put(app, owner: owner.owner.id, provider: form["provider"] ?? "")
            return Page.redirect(to: "/owners/me")
        }
        press(router, "/owners/me/app/remove") { owner, form, _ in
            _ = try await OwnerApps(context).remove(owner: owner.owner.id, provider: form["provider"] ?? "")
            return Page.redirect(to: "/owners/me")
        }
        press(router, "/owners/me/test") { owner, form, _ in
            _ = try await service.bookTest(owner: owner.owner.id, provider: form["provider"] ?? "")
            return Page.redirect(to: "/owners/me#bookings")
        }
        press(router, "/owners/me/retry") { owner, form, _ in
            _ = try await service.retry(try await own(form["booking"] ?? "", owner).booking.id)
            return Page.redirect(to: "/owners/me#bookings")
        }
        press(router, "/owners/me/cancel") { owner, form, _ in
            let booking = try await own(form["booking"] ?? "", owner).booking
            guard booking.source == BookingService.testSource else {
                throw UsherError(.validationFailed, "Only test meetings are taken away here.")
            }
            _ = try await service.cancel(booking.id)
            return Page.redirect(to: "/owners/me#bookings")
        }
        press(router, "/owners/me/signout-everywhere") { owner, _, _ in
            try await owners.signOutEverywhere(owner.owner.id)
            return Page.redirect(to: "/owners/me")
        }
        press(router, "/owners/me/signout") { _, _, secret in
            try await owners.signOut(secret)
            return Page.redirect(to: "/owners/me")
        }
    }

    /// A press of a signed-in owner; what goes wrong is shown on a page, not as JSON.
    private func press(
        _ router: Router<WebContext>, _ path: RouterPath,
        _ body: @escaping @Sendable (StoredOwner, [String: String], Secret) async throws -> Response
    ) {
        router.post(path) { request, _ in
            guard let (secret, owner) = try await session(request) else { return Self.signedOut }
            let form = try await request.form()
            guard owners.isFormKey(form["key"] ?? "", of: secret) else {
                return Page.response(
                    .forbidden, "This did not come from your page", "<p><a href=\"/owners/me\">Open your page</a> and press there.</p>")
            }
            do {
                return try await Actor.acting("owner:\(owner.owner.id)") { try await body(owner, form, secret) }
            } catch let error as UsherError {
                return Page.response(
                    .badRequest, "That did not work",
                    "<p>\(escapedHTML(error.message))</p>\(Page.list(error.findings.map { "\($0.pointer.dropFirst()): \($0.detail)" }))<p><a href=\"/owners/me\">Back to your page</a></p>"
                )
            }
        }
    }

    /// A booking of this owner's, and of no other.
    private func own(_ id: String, _ owner: StoredOwner) async throws -> BookingView {
        let view = try await service.view(id)
        guard view.booking.terms.owner.id == owner.owner.id else { throw UsherError(.notFound, "There is no booking '\(id.prefix(80))'.") }
        return view
    }

    // MARK: Signing in

    private func invite(_ token: String) async throws -> Response {
        guard let owner = try await owners.portalLinkOwner(token) else { return Self.deadLink }
        return Page.response(
            .ok, "Welcome, \(owner.owner.name)",
            "<p>Here you connect your video account and choose where your meetings are held.</p>"
                + Page.button("Open my page", action: "/owners/signin/\(token)", key: nil))
    }

    private func signIn(_ token: String) async throws -> Response {
        guard let secret = try await owners.signIn(token) else {
            try await context.auditRefusal("owner.sign-in", outcome: "link.dead")
            return Self.deadLink
        }
        return Page.redirect(to: "/owners/me", cookies: [cookie.setting(secret, for: OwnerService.longestSession)])
    }

    private func session(_ request: Request) async throws -> (Secret, StoredOwner)? {
        guard let secret = cookie.value(in: request), let owner = try await owners.session(secret), owner.isActive else { return nil }
        return (secret, owner)
    }

    private static var deadLink: Response {
        Page.response(
            .gone, "This link has been used",
            "<p>A link signs in once, and within 15 minutes.</p>\(askForLink)")
    }

    private static var askedTooOften: Response {
        Page.response(.tooManyRequests, "That was often", "<p>Many links were asked for from your network. Wait a few minutes.</p>")
    }

    private static var signedOut: Response {
        Page.response(
            .unauthorized, "Please sign in",
            "<p>Your page opens with a personal link, which is mailed to you.</p>\(askForLink)")
    }

    private static let askForLink = """
        <form class=stack method=post action="/owners/signin"><label for=email>Your mail address here</label>
        <input id=email name=email type=email required autocomplete=email><button class=button>Mail me a link</button></form>
        """

    /// The same for every address, so that it tells nobody who is an owner here.
    private static var mailed: Response {
        Page.response(
            .ok, "Look into your mail",
            "<p>If that address belongs to an owner here, a mail with a link is on its way. The link works once, within 15 minutes.</p>")
    }

    // MARK: The page

    private func page(_ stored: StoredOwner, key: String) async throws -> Response {
        let owner = stored.owner
        let accounts = try await owners.accounts(of: owner.id)
        // What began within the longest booking may still be going on.
        var filter = BookingService.Filter()
        (filter.owner, filter.status, filter.from) = (owner.id, .confirmed, context.now - Tx.longestBooking)
        let views = try await service.page(filter, after: nil, limit: Self.bookingsRead).views.filter { $0.booking.end > context.now }
        let failing = try await context.health.all()
        let body =
            "<p class=quiet>\(escapedHTML(owner.email)), \(escapedHTML(owner.timeZone))</p>" + Self.livingGrants(accounts)
            + providers(accounts, key)
            + defaultProvider(owner, accounts, key, failing) + bookings(Array(views.prefix(Self.bookingsShown)), owner, key)
            + Page.button("Sign out", action: "/owners/me/signout", key: key, isPlain: true)
            + Page.button("Sign out everywhere", action: "/owners/me/signout-everywhere", key: key, isPlain: true)
        return Page.response(.ok, owner.name, body)
    }

    /// Each provider that owners connect, connected or not.
    private func providers(_ accounts: OwnerAccounts, _ key: String) -> String {
        let entries = context.catalog.current.providers.compactMap { entry in
            (context.registry.module(entry.module) as? any ConnectableProvider.Type).map { (entry, $0) }
        }
        guard !entries.isEmpty else { return "" }
        let items = entries.map { entry, module in
            let name = escapedHTML(entry.name == module.descriptor.id ? module.consent.name : "\(module.consent.name) (\(entry.name))")
            let field = [("provider", entry.name)]
            let app = accounts.app(entry.name)
            let ownApp = OwnerAppForm.html(
                entry.name, service: module.consent.name, tellsEvents: module is any EventfulProvider.Type, app, key: key)
            if let problem = ProviderResolver(context).readinessProblem(entry, app) {
                return
                    "<section><h2>\(name)</h2><p class=bad>\(escapedHTML(problem.message))</p><p>\(escapedHTML(problem.remedy))</p>\(ownApp)</section>"
            }
            guard let connection = accounts.connection(entry.name) else {
                let lost = accounts.lost.first { $0.provider == entry.name }
                return
                    "<section><h2>\(name)</h2>\(Self.notConnected(lost, module.consent.name))\(Page.button("Connect \(module.consent.name)", action: "/owners/me/connect", key: key, fields: field))\(ownApp)</section>"
            }
            return "<section><h2>\(name)</h2>\(health(connection))"
                + Page.button(
                    connection.health == .ok ? "Connect again" : "Connect again to mend this", action: "/owners/me/connect", key: key,
                    fields: field, isPlain: connection.health == .ok)
                + Page.button("Disconnect", action: "/owners/me/disconnect", key: key, fields: field, isPlain: true)
                + "\(ownApp)</section>"
        }
        return items.joined()
    }

    /// A connection that was lost is not as if it had never been.
    private static func notConnected(_ lost: LostConnection?, _ service: String) -> String {
        guard let lost else { return "<p>Not connected.</p>" }
        return """
            <p class=bad role=alert>\(escapedHTML(lost.email)) was disconnected at \(escapedHTML(service)) on \(lost.at.rfc3339.prefix(10)).</p>
            <p>No new meetings can be made there until you connect again; what waits then goes on by itself.</p>
            """
    }

    /// What a service did not end, though it was asked to for a day.
    private static func livingGrants(_ accounts: OwnerAccounts) -> String {
        accounts.revocations.filter(\.isGivenUp).map { left in
            """
            <p class=bad role=alert>\(escapedHTML(left.provider)) did not take back the access to
            \(escapedHTML(left.email.isEmpty ? "your account" : left.email)) that ended here on \(left.since.rfc3339.prefix(10)).</p>
            <p>Remove the app there, in your account's settings for connected apps.</p>
            """
        }.joined()
    }

    private func disconnectQuestion(_ provider: String, key: String) throws -> Response {
        let service = try context.connectableModule(provider).consent.name
        return Page.response(
            .ok, "Disconnect \(service)?",
            "<p>No new meetings can be made there. Bookings that are made keep their links; they can then not be moved or removed at \(escapedHTML(service)) from here.</p>"
                + Page.button(
                    "Yes, disconnect", action: "/owners/me/disconnect", key: key, fields: [("provider", provider), ("sure", "yes")])
                + Page.back(to: "/owners/me", "No, leave it"))
    }

    private func health(_ connection: StoredConnection) -> String {
        let account = "<strong>\(escapedHTML(connection.account.email))</strong>"
        guard let problem = connection.problem else { return "<p class=good>Connected as \(account).</p>" }
        return "<p class=bad>\(account): \(escapedHTML(problem.message))</p><p>\(escapedHTML(problem.remedy))</p>"
    }

    private func defaultProvider(_ owner: Owner, _ accounts: OwnerAccounts, _ key: String, _ failing: [FailingProvider]) -> String {
        let catalog = context.catalog.current
        let options = catalog.providers.map { entry in
            let problem = ProviderResolver(context).readinessProblem(entry, accounts)
            return
                "<option value=\"\(escapedHTML(entry.name))\"\(owner.defaultProvider == entry.name ? " selected" : "")>\(escapedHTML(entry.name))\(problem == nil ? "" : " (not ready)")</option>"
        }
        return """
            <section><h2>Where your meetings are held</h2><form method=post action="/owners/me/default">
            <input type=hidden name=key value="\(escapedHTML(key))"><label for=provider>Default provider</label><br>
            <select id=provider name=provider><option value="">The site's default: \(escapedHTML(catalog.site.defaultProvider))</option>
            \(options.joined())</select> <button class="button">Save</button></form>
            \(Self.health(of: owner.defaultProvider ?? catalog.site.defaultProvider, failing))\(testMeeting(owner, accounts, key))\(whereHeld(owner, accounts))</section>
            """
    }

    private static func health(of provider: String, _ failing: [FailingProvider]) -> String {
        guard let bad = failing.first(where: { $0.provider == provider }) else { return "" }
        return "<p class=bad role=status>\(escapedHTML(provider)) is \(escapedHTML(bad.words))</p>"
    }

    /// For each meeting type the provider that a booking would get now, and why: the whole chain, link by link.
    private func whereHeld(_ owner: Owner, _ accounts: OwnerAccounts) -> String {
        let (catalog, provisioner) = (context.catalog.current, ProviderResolver(context))
        let items = catalog.meetingTypes.prefix(Self.typesShown).compactMap { type -> String? in
            guard let resolution = try? catalog.resolve(type, owner: owner, problem: { provisioner.readinessProblem($0, accounts) }) else {
                return nil
            }
            let steps = resolution.trace.map { step in
                "\(step.rule.rawValue): \(step.provider.map { "\($0), " } ?? "")\(step.outcome.rawValue)\(step.outcome == .chosen ? "" : ", \(step.detail)")"
            }
            return "<li><strong>\(escapedHTML(type.id))</strong> at \(escapedHTML(resolution.provider))\(Page.list(steps))</li>"
        }
        return items.isEmpty ? "" : "<details><summary>Which meeting is held where, and why</summary><ul>\(items.joined())</ul></details>"
    }

    /// At the provider where the owner's meetings are held now; that it works is seen by making one.
    private func testMeeting(_ owner: Owner, _ accounts: OwnerAccounts, _ key: String) -> String {
        let catalog = context.catalog.current
        let name = owner.defaultProvider ?? catalog.site.defaultProvider
        guard let entry = catalog.provider(name) else { return "" }
        if let problem = ProviderResolver(context).readinessProblem(entry, accounts) {
            return "<p class=bad>\(escapedHTML(name)): \(escapedHTML(problem.message))</p><p>\(escapedHTML(problem.remedy))</p>"
        }
        return Page.button("Make a test meeting", action: "/owners/me/test", key: key, fields: [("provider", name)], isPlain: true)
            + "<p class=quiet>A real room at \(escapedHTML(name)), with you as host and as guest: you get both mails.</p>"
    }

    private func bookings(_ views: [BookingView], _ owner: Owner, _ key: String) -> String {
        guard !views.isEmpty else { return "<section id=bookings><h2>Upcoming bookings</h2><p>None.</p></section>" }
        let items = views.map { view in
            let booking = view.booking
            let time = ReaderTime.of(start: booking.start, end: booking.end, timeZone: owner.timeZone, language: "en")
            var item = "<li><strong>\(escapedHTML(booking.title))</strong><br>\(escapedHTML(time.date)), \(escapedHTML(time.range))"
            item += "<br>\(escapedHTML(booking.meeting.provider)): \(escapedHTML(booking.meeting.status.rawValue))"
            if let room = booking.meeting.room, !room.needsEntry {
                item += "<br><a href=\"\(escapedHTML(room.joinURL))\" rel=noreferrer>Open the room</a> "
            }
            if booking.source == BookingService.testSource {
                item += Page.button("Take it away", action: "/owners/me/cancel", key: key, fields: [("booking", booking.id)], isPlain: true)
            }
            if let problem = booking.meeting.problem {
                item += "<br><span class=bad>\(escapedHTML(problem.message))</span> \(escapedHTML(problem.remedy))"
                item += Page.button("Try again now", action: "/owners/me/retry", key: key, fields: [("booking", booking.id)], isPlain: true)
            }
            return item + "</li>"
        }
        return "<section id=bookings><h2>Upcoming bookings</h2><ul>\(items.joined())</ul></section>"
    }
}
