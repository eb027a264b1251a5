import UsherCore

/// What the admin configures outside of the catalogue.
package struct EngineSettings: Sendable {
    /// What links in mail start with, without a slash at its end.
    package var publicURL: String
    /// Environment values that modules ask for, by whole name.
    package var variables: [String: Secret]
    /// `USHER_WEBHOOK_ALLOW_PRIVATE`
    package var allowsPrivateReceivers: Bool
    /// Where people sign in beside keys and mailed links (`USHER_OIDC_…`).
    package var openID: OpenIDSettings?

    /// Takes each property as it is.
    package init(
        publicURL: String, variables: [String: Secret], allowsPrivateReceivers: Bool = false, openID: OpenIDSettings? = nil
    ) {
        self.openID = openID
        self.allowsPrivateReceivers = allowsPrivateReceivers
        self.publicURL = publicURL
        self.variables = variables
    }

    /// How long a claim lasts without being renewed.
    package static let claimLength = Duration.seconds(60)
    /// How long one piece of work may take; shorter than the claim, so that nothing is sent after it has ended.
    package static let workLength = Duration.seconds(40)
    /// The clocks of two servers differ by this much at most.
    package static let clockSkew = Duration.seconds(10)
}
