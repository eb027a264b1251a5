import Hummingbird
import UsherCore
import UsherMail
import UsherPipeline
import UsherStore

/// How an owner signs in.
extension OwnerPage {
    func invite(_ token: String) async throws -> Response {
        guard let owner = try await owners.portalLinkOwner(token) else { return deadLink }
        let words = owner.words
        return Page.response(
            .ok, words(.welcome, ["name": owner.owner.name]),
            MessagePart(
                lines: [words(.welcomeText)], buttons: [FormButton(words(.openMine), action: "/owners/signin/\(token)", key: nil)]
            ).html, words: words.page)
    }

    func signIn(_ token: String) async throws -> Response {
        guard let secret = try await owners.signIn(token) else {
            try await context.auditRefusal("owner.sign-in", outcome: "link.dead")
            return deadLink
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
        var say: [String: String]

        var html: HTML { HTML(.signin, self) }
    }

    /// Of a visitor of whom nobody knows who it is.
    private var words: OwnerWords { OwnerWords(SiteFrame.current.language) }

    var deadLink: Response {
        let door = Door(lines: [words(.usedText)], say: words.all)
        return Page.response(.gone, words(.used), door.html, words: words.page)
    }

    var askedTooOften: Response {
        Page.response(.tooManyRequests, words(.often), MessagePart(lines: [words(.oftenText)]).html, words: words.page)
    }

    var signedOut: Response {
        let door = Door(
            organisation: context.settings.openID == nil ? nil : SignInLink.leading(to: "/owners/me"), lines: [words(.signInText)],
            say: words.all)
        return Page.response(.unauthorized, words(.signIn), door.html, words: words.page)
    }

    /// The same for every address, so that it tells nobody who is an owner here.
    var mailed: Response {
        Page.response(.ok, words.page(.look), MessagePart(lines: [words(.mailedText)]).html, words: words.page)
    }
}
