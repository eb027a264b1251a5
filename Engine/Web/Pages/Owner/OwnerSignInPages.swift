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
            MessagePart(
                lines: ["Here you connect your video account and choose where your meetings are held."],
                buttons: [FormButton("Open my page", action: "/owners/signin/\(token)", key: nil)]
            ).html)
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

    /// The values of `signin.html.mustache`: how an owner gets in.
    private struct Door {
        /// Where people sign in, where they can.
        var organisation: String?
        var lines: [String]

        var html: HTML { HTML(.signin, self) }
    }

    static var deadLink: Response {
        Page.response(.gone, "This link has been used", Door(lines: ["A link signs in once, and within 15 minutes."]).html)
    }

    static var askedTooOften: Response {
        let message = MessagePart(lines: ["Many links were asked for from your network. Wait a few minutes."])
        return Page.response(.tooManyRequests, "That was often", message.html)
    }

    var signedOut: Response {
        let door = Door(
            organisation: context.settings.openID == nil ? nil : SignInLink.leading(to: "/owners/me"),
            lines: ["Your page opens with a personal link, which is mailed to you."])
        return Page.response(.unauthorized, "Please sign in", door.html)
    }

    /// The same for every address, so that it tells nobody who is an owner here.
    static var mailed: Response {
        let line = "If that address belongs to an owner here, a mail with a link is on its way. The link works once, within 15 minutes."
        return Page.response(.ok, "Look into your mail", MessagePart(lines: [line]).html)
    }
}
