import Foundation
import UsherCore

/// A relay of `SMTP_URL`: `smtp://user:pass@host:587?tls=required` or `smtps://host:465`; `?auth=microsoft` in place of a password, and
/// `?from=northwind.example` for the senders that it is for.
package struct SMTPAddress: Sendable {
    /// How the connection is kept from listeners.
    package enum Security: Sendable {
        /// TLS from the first byte.
        case implicit
        /// STARTTLS, or nothing is sent.
        case required
        case none
    }
    /// Where the access token comes from that signs us in, by SASL's XOAUTH2
    /// (https://developers.google.com/workspace/gmail/imap/xoauth2-protocol).
    package enum Authorization: String, Sendable, CaseIterable {
        /// Microsoft 365, by client credentials.
        case microsoft
        /// Google Workspace, by a service account that acts for the mailbox.
        case google
        /// Any other, by client credentials.
        case xoauth2
    }
    /// The relay's name or address.
    package var host: String
    /// 465, 587 or 25 where the URL names none.
    package var port: Int
    /// How the connection is kept from listeners.
    package var security: Security
    /// `nil` where the relay asks for none.
    package var user: String?
    /// `nil` where the relay asks for none.
    package var password: Secret?
    /// `nil` where a password signs in, or nothing.
    package var authorization: Authorization?
    /// The domains of the senders that it is for, in small letters; empty for all that no other relay names.
    package var senders: [String]

    /// - Throws: ``ErrorCode/configuration`` with what is wrong with the value.
    package init(_ text: String) throws(UsherError) {
        func refuse(_ why: String) -> UsherError {
            UsherError(
                .configuration,
                "SMTP_URL \(why). Write smtp://user:password@host:587, smtps://host:465, smtp://mailbox%40northwind.example@smtp.office365.com:587?auth=microsoft, or smtp://localhost:25?tls=none."
            )
        }
        guard let url = URLComponents(string: text), let host = url.host, !host.isEmpty, url.scheme == "smtp" || url.scheme == "smtps"
        else {
            throw refuse("is not the address of a mail server")
        }
        guard url.path.isEmpty || url.path == "/", (url.queryItems ?? []).allSatisfy({ ["tls", "auth", "from"].contains($0.name) }) else {
            throw refuse("says more than host, port, tls, auth and from")
        }
        func item(_ name: String) -> String? { url.queryItems?.first { $0.name == name }?.value }
        authorization = try item("auth").map { text throws(UsherError) in
            guard let way = Authorization(rawValue: text) else { throw refuse("has an unknown auth=: microsoft, google or xoauth2") }
            guard url.user?.isEmpty == false, url.password == nil else {
                throw refuse("has auth=\(text), which needs the mailbox as user, and no password")
            }
            return way
        }
        senders = (item("from") ?? "").split(separator: ",").map { $0.trimmingBlanks.lowercased() }
        guard senders.allSatisfy({ isMailAddress("a@" + $0) }) else {
            throw refuse("has a from= that is no list of domains, such as from=northwind.example")
        }
        guard authorization != nil || (url.user == nil) == (url.password == nil) else {
            throw refuse("needs both user and password, or neither; or auth=, where a token signs in")
        }
        guard ![url.user, url.password].contains(where: { $0?.unicodeScalars.contains { $0.value < 32 } ?? false }) else {
            throw refuse("holds control characters")
        }
        guard url.port.map({ (1...65_535).contains($0) }) ?? true else { throw refuse("has no port of 1 to 65535") }
        security = try Self.security(
            url, written: item("tls"), isLoopback: ["localhost", "127.0.0.1", "::1", "[::1]"].contains(host), refuse)
        self.host = host
        port = url.port ?? (url.scheme == "smtps" ? 465 : 587)
        user = url.user
        password = url.password.map(Secret.init)
    }

    private static func security(
        _ url: URLComponents, written: String?, isLoopback: Bool, _ refuse: (String) -> UsherError
    ) throws(UsherError) -> Security {
        switch (url.scheme, written) {
        case ("smtps", nil), ("smtps", "required"): return .implicit
        case ("smtp", "required"): return .required
        case ("smtp", nil): return isLoopback && url.user == nil ? .none : .required
        case ("smtp", "none"):
            guard url.user == nil else { throw refuse("has tls=none together with a password, which anyone could read on its way") }
            return .none
        default: throw refuse("has an unknown tls=: required or none")
        }
    }
}
