import UsherCore
import UsherVault

/// What somebody who signs in by an OpenID provider may do at `/admin`. Each includes the ones before.
package enum AdminRole: String, CaseIterable, Comparable, Sendable {
    /// Looks.
    case viewer
    /// Retries, cancels and sends again, too.
    case `operator`
    /// Lets a held installation go, too: all that an admin's key may.
    case admin

    /// By what may be done.
    package static func < (left: AdminRole, right: AdminRole) -> Bool { left.rank < right.rank }
    private var rank: Int { Self.allCases.firstIndex(of: self) ?? 0 }
}

/// An OpenID provider at which people sign in (`USHER_OIDC_…`).
package struct OpenIDSettings: Sendable {
    /// `https://login.northwind.example`, without a slash at its end that it does not have itself.
    package var issuer: String
    /// As the provider knows this server.
    package var clientID: String
    /// What proves it.
    package var clientSecret: Secret
    /// Groups, and mail addresses, whose holders have a role.
    package var roles: [AdminRole: Set<String>]

    /// Takes each property as it is.
    package init(issuer: String, clientID: String, clientSecret: Secret, roles: [AdminRole: Set<String>]) {
        self.issuer = issuer
        self.clientID = clientID
        self.clientSecret = clientSecret
        self.roles = roles
    }

    /// Reads `admin=usher-admins,ada@northwind.example; operator=support`. Groups are compared as they are spelt, addresses in lower case.
    /// - Returns: `nil` where it is not written so, or names a role that does not exist, or one twice.
    package static func roles(_ text: String) -> [AdminRole: Set<String>]? {
        var roles: [AdminRole: Set<String>] = [:]
        for part in text.split(separator: ";").map(\.trimmingBlanks) where !part.isEmpty {
            guard let equals = part.firstIndex(of: "="), let role = AdminRole(rawValue: String(part[..<equals]).trimmingBlanks),
                roles[role] == nil
            else { return nil }
            let names = part[part.index(after: equals)...].split(separator: ",").map(\.trimmingBlanks).filter { !$0.isEmpty }
            guard !names.isEmpty else { return nil }
            roles[role] = Set(names.map { $0.contains("@") ? (asciiMailAddress($0) ?? $0).lowercased() : $0 })
        }
        return roles
    }

    /// The most that a person may do by their groups and their verified address; `nil` for nothing.
    package func role(of person: Identity) -> AdminRole? {
        let names = person.groups.union(person.verifiedEmail.map { [$0] } ?? [])
        return roles.filter { !$0.value.isDisjoint(with: names) }.keys.max()
    }
}

/// Who somebody is, by the word of the OpenID provider.
package struct Identity: Codable, Hashable, Sendable {
    /// Names them at their issuer, for good.
    package var subject: String
    /// In lower case; `nil` where the provider does not say that it is theirs.
    package var verifiedEmail: String?
    /// Those that the provider tells; a name with an @ is none, so that nobody passes for an address.
    package var groups: Set<String>

    /// For the audit and for pages. What is no verified address never looks like one.
    package var label: String { verifiedEmail ?? "sub:" + subject }

    /// What somebody's sessions are found by.
    /// - Parameter label: theirs, or their address.
    package static func holder(_ label: String) -> String { "person " + Vault.hash(label.utf8) }
}
