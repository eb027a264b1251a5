import UsherCore
import UsherVault

/// What an OpenID provider says of somebody who has just signed in, checked against what was asked.
/// Source: https://openid.net/specs/openid-connect-core-1_0.html#IDTokenValidation
struct IDToken: Sendable {
    let claims: JSON
    let subject: String

    /// Clocks may differ by so much.
    private static let tolerance: Int64 = 60
    private static let longestSubject = 255

    /// - Parameters:
    ///   - key: of the issuer, by the name that the token gives.
    ///   - nonce: of this sign-in.
    /// - Throws: what is wrong with it, as a sentence.
    init(_ token: SignedToken, key: PublishedKeys.Key, _ settings: OpenIDSettings, nonce: Secret, now: Instant) throws(SignInRefusal) {
        guard token.isSigned(by: key) else { throw .untrusted("its signature is not the issuer's") }
        let claims = token.claims
        guard claims["iss"]?.string == settings.issuer else { throw .untrusted("it comes from another issuer") }
        let audience = claims["aud"]?.string.map { [$0] } ?? claims["aud"]?.array?.compactMap(\.string) ?? []
        let party = claims["azp"]
        guard audience.contains(settings.clientID), party.map({ $0.string == settings.clientID }) ?? (audience.count == 1) else {
            throw .untrusted("it was made for another application")
        }
        guard let expiry = Self.time(claims["exp"]), now.seconds - Self.tolerance < expiry else { throw .untrusted("it has expired") }
        guard let issued = Self.time(claims["iat"]), issued <= now.seconds + Self.tolerance,
            Self.time(claims["nbf"]) ?? 0 <= now.seconds + Self.tolerance
        else { throw .untrusted("it is from the future: compare the clocks of both machines") }
        guard let echoed = claims["nonce"]?.string, Secret(echoed) == nonce else { throw .untrusted("it belongs to another sign-in") }
        guard let subject = claims["sub"]?.string, !subject.isEmpty, subject.utf8.count <= Self.longestSubject,
            // Core 2: ASCII.
            subject.utf8.allSatisfy({ $0 > 32 && $0 < 127 })
        else {
            throw .untrusted("it does not say of whom it speaks")
        }
        self.claims = claims
        self.subject = subject
    }

    /// Seconds; some issuers write a fraction.
    private static func time(_ claim: JSON?) -> Int64? {
        if case .double(let value)? = claim, value.magnitude < 1e15 { return Int64(value) }
        return claim?.int
    }

    /// Who it is.
    /// - Parameter more: what the issuer says at its user info endpoint, where it was asked.
    func identity(_ more: JSON?) -> Identity {
        func claim(_ name: String) -> JSON? { claims[name] ?? more?[name] }
        let mail = claim("email")?.string
        // The word on an address counts for the address that it stands beside.
        let isVerified = [claims, more].contains { said in
            said?["email"]?.string == mail && (said?["email_verified"]?.bool ?? (said?["email_verified"]?.string == "true"))
        }
        let groups = ["groups", "roles"].flatMap { name in
            claim(name)?.array?.compactMap(\.string) ?? claim(name)?.string.map { [$0] } ?? []
        }
        return Identity(
            subject: subject, verifiedEmail: isVerified ? mail.flatMap(asciiMailAddress)?.lowercased() : nil,
            groups: Set(groups.filter { !$0.contains("@") }))
    }
}
