import Foundation
import UsherCore

/// `SMTP_URL`: `smtp://user:pass@host:587?tls=required` or `smtps://host:465`.
package struct SMTPAddress: Sendable {
    /// How the connection is kept from listeners.
    package enum Security: Sendable {
        /// TLS from the first byte.
        case implicit
        /// STARTTLS, or nothing is sent.
        case required
        case none
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

    /// - Throws: ``ErrorCode/configuration`` with what is wrong with the value.
    package init(_ text: String) throws(UsherError) {
        func refuse(_ why: String) -> UsherError {
            UsherError(
                .configuration, "SMTP_URL \(why). Write smtp://user:password@host:587, smtps://host:465, or smtp://localhost:25?tls=none.")
        }
        guard let url = URLComponents(string: text), let host = url.host, !host.isEmpty, url.scheme == "smtp" || url.scheme == "smtps"
        else {
            throw refuse("is not the address of a mail server")
        }
        guard url.path.isEmpty || url.path == "/", (url.queryItems ?? []).allSatisfy({ $0.name == "tls" }) else {
            throw refuse("says more than host, port and tls")
        }
        guard (url.user == nil) == (url.password == nil) else { throw refuse("needs both user and password, or neither") }
        guard ![url.user, url.password].contains(where: { $0?.unicodeScalars.contains { $0.value < 32 } ?? false }) else {
            throw refuse("holds control characters")
        }
        guard url.port.map({ (1...65_535).contains($0) }) ?? true else { throw refuse("has no port of 1 to 65535") }
        let isLoopback = ["localhost", "127.0.0.1", "::1", "[::1]"].contains(host)
        switch (url.scheme, url.queryItems?.first?.value) {
        case ("smtps", nil), ("smtps", "required"): security = .implicit
        case ("smtp", "required"): security = .required
        case ("smtp", nil): security = isLoopback && url.user == nil ? .none : .required
        case ("smtp", "none"):
            guard url.user == nil else { throw refuse("has tls=none together with a password, which anyone could read on its way") }
            security = .none
        default: throw refuse("has an unknown tls=: required or none")
        }
        self.host = host
        port = url.port ?? (url.scheme == "smtps" ? 465 : 587)
        user = url.user
        password = url.password.map(Secret.init)
    }
}
