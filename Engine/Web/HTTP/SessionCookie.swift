import Hummingbird
import UsherCore

/// A cookie of ours: no script can read it, other sites' forms do not bring it along, and under https no other host can set it.
/// Source: https://datatracker.ietf.org/doc/html/draft-ietf-httpbis-rfc6265bis#name-the-__host-prefix
struct SessionCookie: Sendable {
    let name: String
    private let isSecure: Bool

    static let owner = "usher_owner"
    static let admin = "usher_admin"
    static let consent = "usher_consent"
    static let signIn = "usher_sign_in"

    /// - Parameter publicURL: under https the name begins with `__Host-`.
    init(_ name: String, _ publicURL: String) {
        isSecure = publicURL.hasPrefix("https://")
        self.name = (isSecure ? "__Host-" : "") + name
    }

    /// What a browser is told to keep.
    func setting(_ value: Secret, for lifetime: Duration) -> Cookie {
        Cookie(
            name: name, value: value.reveal(), maxAge: Int(lifetime.wholeSeconds), path: "/", secure: isSecure, httpOnly: true,
            sameSite: .lax)
    }

    /// Has a browser forget it.
    var ended: Cookie { setting(Secret(""), for: .zero) }

    /// What a request carries.
    func value(in request: Request) -> Secret? { request.cookies[name].map { Secret($0.value.trimmingBlanks) } }
}
