import UsherCore

/// Where people begin to sign in at the OpenID provider.
enum SignInLink {
    static let path = "/auth/oidc/start"

    /// - Parameter page: where they come out, a path of ours.
    static func leading(to page: String) -> String { "\(path)?to=\(percentEncoded(page))" }
}
