import HTTPTypes
import Hummingbird
import NIOCore
import UsherCore
import UsherMail
import UsherPipeline
import UsherStore

/// `/owners/…`: the owner's page. A one-time link signs in by a press, so that a mail scanner uses nothing up; every press carries the
/// session's key, so that no other site can press.
struct OwnerPage: Sendable {
    let context: EngineContext
    let service: BookingService
    let owners: OwnerService
    let cookie: SessionCookie
    private let manage: ManagePage
    /// Sign-in links that are asked for from one address.
    private let asks: RateLimiter
    static let bookingsShown = 20
    static let bookingsRead = 100
    static let typesShown = 100
    /// Days from today; the longest horizon lies within.
    static let farthestWeek: Int64 = 1_100

    init(_ context: EngineContext, _ service: BookingService) {
        self.context = context
        self.service = service
        owners = OwnerService(context)
        manage = ManagePage(context, service)
        cookie = SessionCookie(SessionCookie.owner, context.settings.publicURL)
        asks = context.limits.limiter("sign-in links", burst: 10, perMinute: 1)
    }

    func add(to router: Router<WebContext>) {
        router.get("/owners/signin/{token}") { _, parameters in try await invite(try parameters.parameters.require("token")) }
        router.post("/owners/signin/{token}") { _, parameters in try await signIn(try parameters.parameters.require("token")) }
        router.get("/owners/signin") { _, _ in Page.redirect(to: "/owners/me") }
        router.post("/owners/signin") { request, _ in
            let address = (try await request.form())["email"]?.trimmingBlanks ?? ""
            guard asks.take(TrustedProxies.group(Actor.current.address)).isAllowed else { return askedTooOften }
            try await owners.mailSignInLink(to: address)
            return mailed
        }
        router.get("/owners/me") { request, _ in
            guard let (secret, owner) = try await session(request) else { return signedOut }
            let query = request.uri.queryParameters
            return try await page(
                owner, week: query["week"].flatMap { CalendarDate(String($0)) }, type: query["type"].map(String.init),
                key: owners.formKey(secret))
        }
        addAccountPresses(to: router)
        addBookingPresses(to: router)
        addCalendarPresses(to: router)
        addTimeOffPresses(to: router)
        press(router, "/owners/me/signout-everywhere") { owner, _, _ in
            try await owners.signOutEverywhere(owner.owner.id)
            return Page.redirect(to: "/owners/me")
        }
        press(router, "/owners/me/signout") { _, _, secret in
            try await owners.signOut(secret)
            return Page.redirect(to: "/owners/me")
        }
    }

    private func addAccountPresses(to router: Router<WebContext>) {
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
            return Self.consentPage(for: begun, owner)
        }
        press(router, "/owners/me/disconnect") { owner, form, _ in
            let provider = form["provider"] ?? ""
            guard form["sure"] == "yes" else { return try disconnectQuestion(provider, owner.words, key: form["key"] ?? "") }
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
    }

    private func addBookingPresses(to router: Router<WebContext>) {
        press(router, "/owners/me/test") { owner, form, _ in
            _ = try await service.bookTest(owner: owner.owner.id, provider: form["provider"] ?? "")
            return Page.redirect(to: "/owners/me#bookings")
        }
        press(router, "/owners/me/retry") { owner, form, _ in
            _ = try await service.retry(try await own(form["booking"] ?? "", owner).booking.id)
            return Page.redirect(to: "/owners/me#bookings")
        }
        press(router, "/owners/me/test/cancel") { owner, form, _ in
            let booking = try await own(form["booking"] ?? "", owner).booking
            guard booking.details.source == BookingService.testSource else { throw UsherError(.notFound, "This is no test meeting.") }
            _ = try await service.cancel(booking.id)
            return Page.redirect(to: "/owners/me#bookings")
        }
        router.get("/owners/me/booking") { request, _ in
            guard let (secret, owner) = try await session(request) else { return signedOut }
            let query = request.uri.queryParameters
            return try await telling(owner) {
                let managed = try await managed(query.get("booking") ?? "", owner, key: owners.formKey(secret))
                return try await manage.show(managed, typed: query.get("start"), done: query.get("done"))
            }
        }
        press(router, "/owners/me/booking/cancel") { owner, form, _ in
            try await manage.cancel(try await managed(form["booking"] ?? "", owner, key: form["key"] ?? ""), form)
        }
        press(router, "/owners/me/booking/reschedule") { owner, form, _ in
            try await manage.reschedule(try await managed(form["booking"] ?? "", owner, key: form["key"] ?? ""), form)
        }
    }

    /// A booking of this owner's, to move or cancel.
    private func managed(_ id: String, _ owner: StoredOwner, key: String) async throws -> ManagedBooking {
        var booking = try await own(id, owner).booking
        // As the owner is now: in the zone and language that the page before it had.
        booking.terms.owner = owner.owner
        booking.terms.type = booking.terms.type.spoken(in: owner.owner.language)
        return ManagedBooking(
            visit: .init(booking: booking, reader: .owner), page: "/owners/me/booking?booking=\(booking.id)",
            action: "/owners/me/booking", carried: [("key", key), ("booking", booking.id)],
            back: WayPart(wayPath: "/owners/me", wayName: owner.words(.toPage)))
    }

    /// A press of a signed-in owner; what goes wrong is shown on a page, not as JSON.
    func press(
        _ router: Router<WebContext>, _ path: RouterPath,
        _ body: @escaping @Sendable (StoredOwner, [String: String], Secret) async throws -> Response
    ) {
        router.post(path) { request, _ in
            guard let (secret, owner) = try await session(request) else { return signedOut }
            let form = try await request.form()
            let words = owner.words
            guard owners.isFormKey(form["key"] ?? "", of: secret) else {
                let message = MessagePart(
                    lines: [words(.pressThere)], ways: [WayPart(wayPath: "/owners/me", wayName: words(.openPage))])
                return Page.response(.forbidden, words(.notFromPage), message.html, words: words.page)
            }
            return try await telling(owner) {
                try await Actor.acting("owner:\(owner.owner.id)") { try await body(owner, form, secret) }
            }
        }
    }

    private func telling(_ owner: StoredOwner, _ body: () async throws -> Response) async throws -> Response {
        do { return try await body() } catch let error as UsherError {
            let words = owner.words
            // What the API says of it, in English, is more precise.
            let isEnglish = Language.base(words.page.language) == "en"
            let said: [String] =
                switch error.code {
                case .notFound where !isEnglish: [words.page(.deadLinkText)]
                case .validationFailed where !isEnglish: [words.page(.onceMore), error.message]
                default: [error.message]
                }
            let message = MessagePart(
                notice: NoticePart(.bad, said, isUrgent: true),
                lines: error.findings.map { "\($0.pointer.dropFirst()): \($0.detail)" },
                ways: [WayPart(wayPath: "/owners/me", wayName: words(.toPage))])
            let status: HTTPResponse.Status = error.code == .notFound ? .notFound : .badRequest
            return Page.response(status, words(.didNotWork), message.html, words: words.page)
        }
    }

    /// To the service's consent page.
    static func consentPage(for begun: Consents.Begun, _ owner: StoredOwner) -> Response {
        Page.onward(
            to: "/auth/\(begun.service)/start?consent=\(begun.id)", owner.words.consent(.offTo, ["service": begun.name]),
            owner.words.consent(.continueTo, ["service": begun.name]), words: owner.words.page)
    }

    /// A booking of this owner's, and of no other.
    private func own(_ id: String, _ owner: StoredOwner) async throws -> BookingView {
        let view = try await service.view(id)
        guard view.booking.terms.owner.id == owner.owner.id else { throw UsherError(.notFound, "There is no booking '\(id.prefix(80))'.") }
        return view
    }
}

extension StoredOwner {
    /// What pages say to this owner.
    var words: OwnerWords { OwnerWords(owner.language) }
}
