import Foundation
import UsherCore
import UsherMail
import UsherPipeline
import UsherWeb

/// The configuration: the environment, over the same keys in the file that `USHER_CONFIG` names.
package struct Configuration: Sendable {
    /// Where mail goes: to relays, by the sender's domain, or into a folder.
    package enum Mail: Sendable {
        case smtp([SMTPAddress])
        case maildir(String)
    }

    /// `USHER_CATALOG`
    package var catalogPath: String
    /// `DATABASE_URL`
    package var database: DatabaseAddress
    /// `USHER_HOST`
    package var host: String
    /// `USHER_PORT`
    package var port: Int
    /// `USHER_PUBLIC_URL`, without a slash at its end.
    package var publicURL: String
    /// `USHER_VAULT_KEYS`, or what `USHER_VAULT_KEYS_FILE` holds; `nil`: a key file beside the database.
    package var vaultKeys: String?
    /// `USHER_API_KEY`
    package var adminKey: Secret?
    /// `SMTP_URL`, or `USHER_MAILDIR`.
    package var mail: Mail
    /// `USHER_RETURN_ORIGINS`
    package var returnOrigins: [String]
    /// `USHER_TRUSTED_PROXIES`
    package var proxies: TrustedProxies
    /// `USHER_OIDC_…`; `nil`: people sign in by keys and mailed links alone.
    package var openID: OpenIDSettings?
    /// `USHER_LOG`
    package var logStyle: LogStyle
    /// `USHER_WEBHOOK_ALLOW_PRIVATE`
    package var allowsPrivateReceivers: Bool
    /// `USHER_CALENDAR_ALLOW_PRIVATE`
    package var allowsPrivateCalendars: Bool
    /// Everything that provider modules may ask for.
    package var values: [String: Secret]

    /// - Parameter registry: whose modules say which variables are theirs.
    /// - Throws: ``ErrorCode/configuration`` in one line that names the key and how to set it.
    package init(environment: [String: String], registry: ProviderRegistry) throws(UsherError) {
        let file = try environment["USHER_CONFIG"].map { path throws(UsherError) in try Self.read(path, registry) } ?? [:]
        let values = file.merging(environment) { _, fromEnvironment in fromEnvironment }.filter { !$0.value.isEmpty }
        self.values = values.mapValues(Secret.init)
        catalogPath = values["USHER_CATALOG"] ?? "meeting-types.yaml"
        database = try DatabaseAddress(values["DATABASE_URL"] ?? "sqlite:usher.sqlite")
        host = values["USHER_HOST"] ?? "127.0.0.1"
        port = try Self.port(values["USHER_PORT"] ?? "8080")
        publicURL = try Self.publicURL(values["USHER_PUBLIC_URL"] ?? "http://localhost:\(port)")
        vaultKeys = try Self.vaultKeys(values)
        if vaultKeys == nil, database.path == nil {
            throw Self.refuse(
                "With PostgreSQL set USHER_VAULT_KEYS or USHER_VAULT_KEYS_FILE, the same on every server; make a key with: openssl rand -base64 32"
            )
        }
        adminKey = try values["USHER_API_KEY"].map(Self.adminKey)
        returnOrigins = try (values["USHER_RETURN_ORIGINS"] ?? "").split(separator: ",").map { text throws(UsherError) in
            try Self.returnOrigin(text.trimmingBlanks)
        }
        proxies = try Self.proxies(values["USHER_TRUSTED_PROXIES"] ?? "")
        allowsPrivateReceivers = try Self.flag("USHER_WEBHOOK_ALLOW_PRIVATE", values["USHER_WEBHOOK_ALLOW_PRIVATE"] ?? "false")
        allowsPrivateCalendars = try Self.flag("USHER_CALENDAR_ALLOW_PRIVATE", values["USHER_CALENDAR_ALLOW_PRIVATE"] ?? "false")
        openID = try Self.openID(values)
        logStyle = try Self.logStyle(values["USHER_LOG"] ?? "text")
        for key in registry.endpoints.sorted() { if let value = values[key] { try Self.checkService(key, value) } }
        mail =
            try values["SMTP_URL"].map { text throws(UsherError) in .smtp(try Self.relays(text, values)) }
            ?? .maildir(values["USHER_MAILDIR"] ?? "mail")
    }

    /// Where the vault's keys are written, for who is to mend them.
    package var vaultKeysSource: String { values["USHER_VAULT_KEYS_FILE"].map { $0.reveal() } ?? "USHER_VAULT_KEYS" }

    /// One relay, or several with blanks between them.
    private static func relays(_ text: String, _ values: [String: String]) throws(UsherError) -> [SMTPAddress] {
        let relays = try text.split(separator: " ").map { part throws(UsherError) in try SMTPAddress(String(part)) }
        if relays.isEmpty { _ = try SMTPAddress(text) }
        guard relays.count(where: \.senders.isEmpty) <= 1 else {
            throw refuse(
                "SMTP_URL names several relays without from=: say which domains the others are for, as in ?from=northwind.example.")
        }
        let domains = relays.flatMap(\.senders)
        guard Set(domains).count == domains.count else { throw refuse("SMTP_URL names two relays for one domain: leave one out.") }
        for relay in relays {
            if let way = relay.authorization, let problem = MailTokens.problem(way, values) { throw refuse(problem) }
        }
        return relays
    }

    private static func refuse(_ message: String) -> UsherError { UsherError(.configuration, message) }

    /// Lines of `KEY=value`, empty ones and comments left out; a value may be in quotes.
    private static func read(_ path: String, _ registry: ProviderRegistry) throws(UsherError) -> [String: String] {
        let text = try contents(path, "USHER_CONFIG")
        var values: [String: String] = [:]
        for (index, line) in text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline).enumerated() {
            let line = line.trimmingBlanks
            if line.isEmpty || line.hasPrefix("#") { continue }
            guard let equals = line.firstIndex(of: "="), equals > line.startIndex else {
                throw refuse("\(path):\(index + 1): write KEY=value.")
            }
            var value = String(line[line.index(after: equals)...]).trimmingBlanks
            if value.count >= 2, let quote = value.first, quote == value.last, quote == "\"" || quote == "'" {
                value = String(value.dropFirst().dropLast())
            }
            let key = String(line[..<equals]).trimmingBlanks
            try refuseUnknown(key, registry, at: "\(path):\(index + 1)")
            values[key] = value
        }
        return values
    }

    /// An environment can be read by whoever may look at the process; a file has a mode.
    private static func vaultKeys(_ values: [String: String]) throws(UsherError) -> String? {
        guard let path = values["USHER_VAULT_KEYS_FILE"] else { return values["USHER_VAULT_KEYS"] }
        guard values["USHER_VAULT_KEYS"] == nil else {
            throw refuse("USHER_VAULT_KEYS and USHER_VAULT_KEYS_FILE are both set: leave one out, so that nobody wonders which counts.")
        }
        let text = try contents(path, "USHER_VAULT_KEYS_FILE")
        let keys = text.split(whereSeparator: \.isNewline).map(\.trimmingBlanks).filter { !$0.isEmpty && !$0.hasPrefix("#") }
        guard !keys.isEmpty else {
            throw refuse(
                "\(path) holds no key: take the # away from yours, or add a new one: (umask 077; openssl rand -base64 32 >> \(path))")
        }
        return keys.joined(separator: ",")
    }

    private static let keys = [
        "USHER_CATALOG", "DATABASE_URL", "USHER_HOST", "USHER_PORT", "USHER_PUBLIC_URL", "USHER_VAULT_KEYS", "USHER_VAULT_KEYS_FILE",
        "USHER_API_KEY",
        "USHER_RETURN_ORIGINS", "USHER_TRUSTED_PROXIES", "USHER_WEBHOOK_ALLOW_PRIVATE", "USHER_CALENDAR_ALLOW_PRIVATE", "USHER_MAILDIR",
        "USHER_OIDC_ISSUER", "USHER_OIDC_CLIENT_ID", "USHER_OIDC_CLIENT_SECRET", "USHER_OIDC_ROLES", "USHER_LOG", "SMTP_URL",
        "SMTP_CLIENT_ID", "SMTP_CLIENT_SECRET", "SMTP_TENANT_ID", "SMTP_KEY_FILE", "SMTP_TOKEN_URL", "SMTP_SCOPE",
    ]

    /// What a file holds in which secrets lie.
    private static func contents(_ path: String, _ key: String) throws(UsherError) -> String {
        if let mode = FileStatus(path)?.mode, mode & 0o004 != 0 {
            throw refuse("\(key) names \(path), which everybody on this machine can read, and secrets lie in it: chmod 640 \(path)")
        }
        do { return try String(contentsOfFile: path, encoding: .utf8) } catch {
            throw refuse(
                "\(key) names \(path), which cannot be read: check the path and the file's mode. The system says: \(error.localizedDescription)"
            )
        }
    }

    /// A misspelt key would leave its default in force, and nobody would know why.
    private static func refuseUnknown(_ key: String, _ registry: ProviderRegistry, at place: String) throws(UsherError) {
        guard !keys.contains(key), key.hasPrefix("USHER_") || !registry.isVariable(key) else { return }
        let near =
            nearest(key, keys + registry.endpoints).map { "did you mean \($0)?" } ?? "`usher providers` and the README list what there is."
        throw refuse("\(place): \(key) is not a key of Usher's configuration; \(near)")
    }

    static func checkService(_ key: String, _ text: String, example: String = "https://api.zoom.us/v2") throws(UsherError) {
        let url = URLComponents(string: text)
        let isLoopback = ["localhost", "127.0.0.1", "[::1]"].contains(url?.host)
        guard let url, url.host?.isEmpty == false, url.scheme == "https" || (url.scheme == "http" && isLoopback), url.query == nil,
            url.fragment == nil
        else {
            throw refuse("\(key) must be an https:// address, such as \(example).")
        }
    }

    private static func logStyle(_ text: String) throws(UsherError) -> LogStyle {
        guard let style = LogStyle(rawValue: text) else { throw refuse("USHER_LOG must be text or json.") }
        return style
    }

    private static func proxies(_ text: String) throws(UsherError) -> TrustedProxies {
        guard let proxies = TrustedProxies(text) else {
            throw refuse("USHER_TRUSTED_PROXIES must list addresses or networks of your proxies, such as 127.0.0.1, 10.1.0.0/16.")
        }
        return proxies
    }

    private static func flag(_ key: String, _ text: String) throws(UsherError) -> Bool {
        guard let value = Bool(text) else { throw refuse("\(key) must be true or false.") }
        return value
    }

    private static func port(_ text: String) throws(UsherError) -> Int {
        guard let port = Int(text), (1...65_535).contains(port) else { throw refuse("USHER_PORT must be a port number, such as 8080.") }
        return port
    }

    private static func publicURL(_ text: String) throws(UsherError) -> String {
        guard let url = URLComponents(string: text), url.scheme == "https" || url.scheme == "http", url.host?.isEmpty == false,
            url.query == nil,
            url.fragment == nil, url.user == nil, text.utf8.allSatisfy({ $0 > 32 && $0 < 127 })
        else {
            throw refuse(
                "USHER_PUBLIC_URL must be the address under which people reach this server, such as https://meet.northwind.example.")
        }
        return text.hasSuffix("/") ? String(text.dropLast()) : text
    }

    private static func returnOrigin(_ text: String) throws(UsherError) -> String {
        guard let url = URLComponents(string: text), url.scheme == "https" || url.scheme == "http", url.host?.isEmpty == false,
            url.path.isEmpty || url.path == "/", url.query == nil, url.fragment == nil, url.user == nil
        else {
            throw refuse(
                "USHER_RETURN_ORIGINS must be addresses without a path, separated by commas, such as https://crm.northwind.example.")
        }
        return text.hasSuffix("/") ? String(text.dropLast()) : text
    }

    private static func adminKey(_ text: String) throws(UsherError) -> Secret {
        guard text.utf8.count >= 24 else {
            throw refuse("USHER_API_KEY must have 24 characters at least; make one with: openssl rand -hex 24")
        }
        return Secret(text)
    }
}

/// How the server's log is written.
package enum LogStyle: String, Sendable { case text, json }
