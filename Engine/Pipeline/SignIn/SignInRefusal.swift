/// Why nobody was signed in.
package struct SignInRefusal: Error, Hashable, Sendable {
    /// For the audit.
    package enum Code: String, Sendable {
        /// Begun elsewhere, used already, or too long ago.
        case notBegunHere = "sign-in.not-begun-here"
        /// The provider, or the person there, did not agree.
        case declined = "sign-in.declined"
        /// The provider does not answer, or not as it should.
        case unavailable = "sign-in.unavailable"
        /// What came cannot be believed.
        case untrusted = "sign-in.untrusted"
        /// They are known there, and nobody here.
        case unknownPerson = "sign-in.unknown-person"
    }
    package var code: Code
    /// What happened, and what to do, for the person who wanted to sign in.
    package var message: String
    /// What happened, for the admin: log and doctor.
    package var reason: String

    static let notBegunHere = SignInRefusal(
        code: .notBegunHere,
        message: "This sign-in was begun in another browser, or more than ten minutes ago, or it is over. Begin again.",
        reason: "the browser brought no journey of this state")

    static func declined(_ words: String) -> SignInRefusal {
        SignInRefusal(
            code: .declined, message: "The sign-in service says: \(words.prefix(300)). Begin again, or ask who looks after it.",
            reason: "the service says: \(words.prefix(300))")
    }

    static func unavailable(_ why: String) -> SignInRefusal {
        SignInRefusal(
            code: .unavailable,
            message: "The sign-in service cannot be used just now. Try again soon; if it stays so, ask this server's admin.", reason: why)
    }

    static func untrusted(_ why: String) -> SignInRefusal {
        SignInRefusal(
            code: .untrusted,
            message: "What the sign-in service sent cannot be believed: \(why). Begin again; if it stays so, tell this server's admin.",
            reason: why)
    }

    static func unknownPerson(_ message: String) -> SignInRefusal {
        SignInRefusal(code: .unknownPerson, message: message, reason: "a person without a role, or no owner's address")
    }
}
