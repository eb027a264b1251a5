import Foundation
import UsherAssembly
import UsherCatalog
import UsherCore
import UsherMail

/// What `usher init` has been told, and the two files that follow from it.
struct FirstSite {
    var name = ""
    /// What the mail comes from.
    var from = ""
    /// The first owner.
    var owner = Mailbox(name: "", address: "")
    var timeZone = TimeZone.current.identifier
    var language = "en"
    /// A module's id, or the `https://` address of rooms of one's own.
    var provider = ""
    var publicURL = "http://localhost:8080"
    /// As in `SMTP_URL`; empty: mail is written into a folder.
    var relay = ""
    /// As in `DATABASE_URL`; empty: a file in the folder.
    var database = ""
    /// Where the files are written, as an absolute path.
    var folder: String

    let registry: ProviderRegistry

    var catalogPath: String { folder + "/meeting-types.yaml" }
    var environmentPath: String { folder + "/usher.env" }

    /// The owner's id: what is left of their name in small letters.
    private var ownerID: String {
        let word = owner.name.lowercased().split { !$0.isASCII || !($0.isLetter || $0.isNumber) }.first
        return word.map(String.init) ?? "owner"
    }

    private var isLink: Bool { provider.hasPrefix("https://") }
    private var providerName: String { isLink ? "room" : provider }

    /// The catalogue, with a comment wherever one may want to go on.
    var catalog: String {
        let room =
            isLink
            ? "room: { module: link, url: \(quoted(provider.contains("{code}") ? provider : provider + (provider.hasSuffix("/") ? "" : "/") + "{code}")) }"
            : "\(provider): {}"
        return """
            # What can be booked, and with whom. `usher check` says what is wrong here, with line and column; `usher schema --reference` lists
            # every key. A server takes a change over as soon as the file is saved.
            version: 1

            site:
              name: \(quoted(name))
              from: \(quoted("\"\(name)\" <\(from)>"))
              time-zone: \(timeZone)
              language: \(language)
              default-provider: \(providerName)

            # Where rooms are made: `usher providers` lists the modules, what they can do, and what each needs.
            providers:
              \(room)

            # Who can be booked. Owners can also be made through the API, or with `usher owner set`.
            owners:
              \(ownerID): { name: \(quoted(owner.name)), email: \(quoted(owner.address)) }

            meeting-types:
              consultation:
                title: "Consultation with {owner.name}"
                duration: 30m
                # reminders: [1d, 15m]
                # calendar: true            # put it on the owner's connected calendar
                # A page on which guests choose among free times needs hours: see `schedules`, `slots` and `page` in the reference.

            """
    }

    /// The configuration, as the file that `USHER_CONFIG` names. It holds secrets: mode 0600.
    func environment(key: String, vaultKey: String) -> String {
        let needed = registry.descriptor(provider).map { one in one.credentials.map { "\(one.credentialPrefix)_\($0)" } } ?? []
        let credentials =
            needed.isEmpty
            ? ""
            : "\n# Credentials of the app at \(provider): its chapter in the README says where they come from.\n"
                + needed.map { "#\($0)=\n" }.joined()
        return """
            # Usher's configuration: KEY=value, read where USHER_CONFIG names this file; the variables of the environment count over it.
            # It holds secrets: keep it to yourself (mode 0600, or 0640 with a group of the server's).
            USHER_CATALOG=\(catalogPath)
            DATABASE_URL=\(database.isEmpty ? "sqlite:\(folder)/usher.sqlite" : database)

            # Where people reach the server: links in mails begin with it. Put a proxy that speaks TLS in front, and name it.
            USHER_PUBLIC_URL=\(publicURL)
            #USHER_TRUSTED_PROXIES=127.0.0.1

            # Mail leaves through a relay; without one it is written into USHER_MAILDIR.
            \(relay.isEmpty ? "#SMTP_URL=smtp://user:password@relay.northwind.example:587" : "SMTP_URL=\(relay)")
            USHER_MAILDIR=\(folder)/mail

            # Opens the API and /admin. Give programs keys of their own: `usher key create`.
            USHER_API_KEY=\(key)
            \(database.hasPrefix("postgres")
                ? "\n# What secrets are sealed under, the same on every server. Without it nothing that is sealed can be read: keep a copy elsewhere.\nUSHER_VAULT_KEYS=\(vaultKey)\n"
                : "# What secrets are sealed under lies beside the database, in usher.sqlite.key: keep a copy elsewhere.\n")\(credentials)
            """
    }

    /// JSON's quoting is YAML's, too.
    private func quoted(_ text: String) -> String { JSON.string(text).serialized }
}

/// One thing that `usher init` asks.
struct FirstQuestion: Sendable {
    /// The option that answers it.
    let option: String
    let text: String
    /// What an empty answer means; `nil`: it must be answered.
    let preset: @Sendable (FirstSite) -> String?
    /// Takes an answer in, or says what is wrong with it.
    let take: @Sendable (String, inout FirstSite) -> String?

    static let all: [FirstQuestion] = [
        .init(option: "--name", text: "What is your site called? (Northwind Clinic)", preset: { _ in nil }) { text, site in
            guard !text.isEmpty, text.count <= 100, !text.contains(where: { "<>\"".contains($0) }),
                !text.unicodeScalars.contains(where: \.isControl)
            else {
                return "Write a name of up to 100 characters, such as Northwind Clinic; without <, > and quotes."
            }
            site.name = text
            return nil
        },
        .init(option: "--from", text: "Which address does its mail come from?", preset: { _ in nil }) { text, site in
            guard let address = asciiMailAddress(text) else { return "Write a mail address, such as bookings@northwind.example." }
            site.from = address
            return nil
        },
        .init(option: "--owner", text: "Who hosts meetings? (Ana Ruiz <ana@northwind.example>)", preset: { _ in nil }) { text, site in
            guard let owner = Mailbox(text), !owner.name.isEmpty else {
                return "Write a name and an address: Ana Ruiz <ana@northwind.example>."
            }
            site.owner = owner
            return nil
        },
        .init(option: "--time-zone", text: "In which time zone?", preset: { $0.timeZone }) { text, site in
            guard TimeZone(iana: text) != nil else { return "Write a name such as Europe/Berlin." }
            site.timeZone = text
            return nil
        },
        .init(option: "--language", text: "In which language?", preset: { $0.language }) { text, site in
            guard let language = Language.normalized(text) else {
                return "Write one of: \(Language.all.joined(separator: ", "))."
            }
            site.language = language
            return nil
        },
        .init(
            option: "--provider",
            text: "Where are rooms made? A module (see `usher providers`), or the https:// address of rooms of your own",
            preset: { _ in nil }
        ) { text, site in
            let modules = site.registry.modules.map { $0.descriptor }.filter { one in !one.settings.contains(where: \.isRequired) }.map(
                \.id)
            if text.hasPrefix("https://"), URL(string: text.replacingOccurrences(of: "{code}", with: "x"))?.host() != nil {
                site.provider = text
            } else if modules.contains(text) {
                site.provider = text
            } else {
                return
                    "Write one of \(modules.sorted().joined(separator: ", ")), or an address such as https://meet.northwind.example/{code}."
            }
            return nil
        },
        .init(option: "--public-url", text: "At which address do people reach the server?", preset: { $0.publicURL }) { text, site in
            do throws(UsherError) { _ = try Configuration(environment: ["USHER_PUBLIC_URL": text], registry: site.registry) } catch {
                return error.message
            }
            site.publicURL = text
            return nil
        },
        .init(option: "--smtp", text: "Which relay takes the mail? (smtp://user:password@host:587; none: a folder)", preset: { _ in "" }) {
            text, site in
            if !text.isEmpty { do throws(UsherError) { _ = try SMTPAddress(text) } catch { return error.message } }
            site.relay = text
            return nil
        },
        .init(option: "--database", text: "Which database? (postgres://user:password@host/usher; none: a file)", preset: { _ in "" }) {
            text, site in
            if !text.isEmpty { do throws(UsherError) { _ = try DatabaseAddress(text) } catch { return error.message } }
            site.database = text
            return nil
        },
    ]
}
