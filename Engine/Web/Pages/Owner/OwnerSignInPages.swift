import Hummingbird
import UsherCore
import UsherMail
import UsherPipeline
import UsherStore

/// How an owner signs in.
extension OwnerPage {
    func invite(_ token: String) async throws -> Response {
        guard let owner = try await owners.portalLinkOwner(token) else { return Self.deadLink }
        return Page.response(
            .ok, "Welcome, \(owner.owner.name)",
            "<p>Here you connect your video account and choose where your meetings are held.</p>"
                + Page.button("Open my page", action: "/owners/signin/\(token)", key: nil))
    }

    func signIn(_ token: String) async throws -> Response {
        guard let secret = try await owners.signIn(token) else {
            try await context.auditRefusal("owner.sign-in", outcome: "link.dead")
            return Self.deadLink
        }
        return Page.redirect(to: "/owners/me", cookies: [cookie.setting(secret, for: OwnerService.longestSession)])
    }

    func session(_ request: Request) async throws -> (Secret, StoredOwner)? {
        guard let secret = cookie.value(in: request), let owner = try await owners.session(secret), owner.isActive else { return nil }
        return (secret, owner)
    }

    static var deadLink: Response {
        Page.response(
            .gone, "This link has been used",
            "<p>A link signs in once, and within 15 minutes.</p>\(askForLink)")
    }

    static var askedTooOften: Response {
        Page.response(.tooManyRequests, "That was often", "<p>Many links were asked for from your network. Wait a few minutes.</p>")
    }

    var signedOut: Response {
        Page.response(
            .unauthorized, "Please sign in",
            (context.settings.openID == nil ? "" : SignInLink.button(leadingTo: "/owners/me"))
                + "<p>Your page opens with a personal link, which is mailed to you.</p>\(Self.askForLink)")
    }

    static let askForLink: HTML = """
        <form class=stack method=post action="/owners/signin"><label for=email>Your mail address here</label>
        <input id=email name=email type=email required autocomplete=email><button class=button>Mail me a link</button></form>
        """

    /// The same for every address, so that it tells nobody who is an owner here.
    static var mailed: Response {
        Page.response(
            .ok, "Look into your mail",
            "<p>If that address belongs to an owner here, a mail with a link is on its way. The link works once, within 15 minutes.</p>")
    }
}
