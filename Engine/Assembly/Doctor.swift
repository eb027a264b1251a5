import Foundation
import UsherCatalog
import UsherCore
import UsherMail
import UsherPipeline
import UsherStore
import UsherVault

/// Looks at everything that Usher needs, and says how to mend what is wrong. It sends no mail and makes no room.
package struct Doctor: Sendable {
    /// One thing that was looked at.
    package struct Finding: Sendable {
        /// What was looked at: `database`, `mail`, a provider's name.
        package var area: String
        /// Whether it is as it should be.
        package var isFine: Bool
        /// What was found.
        package var text: String
        /// What to do; empty where all is well.
        package var remedy: String

        static func fine(_ area: String, _ text: String) -> Finding { Finding(area: area, isFine: true, text: text, remedy: "") }
        static func wrong(_ area: String, _ text: String, _ remedy: String) -> Finding {
            Finding(area: area, isFine: false, text: text, remedy: remedy)
        }
    }

    let configuration: Configuration
    private let registry: ProviderRegistry
    /// A clock that differs by more is worth a word: two servers that are this wrong either way agree no more on when a claim ends.
    private static let clockTolerance = EngineSettings.clockSkew / 2

    /// Looks at what `configuration` names.
    package init(_ configuration: Configuration, _ registry: ProviderRegistry) {
        self.configuration = configuration
        self.registry = registry
    }

    /// Looks at everything; nothing is changed or made.
    package func examine() async -> [Finding] {
        var findings = [Finding.fine("configuration", "read; links begin with \(configuration.publicURL)")]
        let report = CatalogReader.withFiles(registry).read(path: configuration.catalogPath)
        findings.append(catalog(report))
        findings += FileFault.all(configuration).filter { !$0.isMissing }.map {
            .wrong("files", $0.text, "\($0.command), or `usher doctor --fix`.")
        }
        findings += await mail(nil)
        let (stored, keys) = await stored()
        findings += stored + access(keys: keys)
        guard let catalog = report.catalog else { return findings }
        do {
            let runtime = try await Runtime.open(configuration, catalog: catalog, registry: registry, looking: true)
            findings += unsent(catalog) + (await mail(runtime)) + (await signIn(runtime.context))
            for entry in catalog.providers { findings += await provider(entry, catalog.owners, runtime) }
            await runtime.close()
        } catch  where stored.allSatisfy(\.isFine) {
            findings.append(.wrong("start", words(error), "Mend this, then run `usher doctor` again: the providers were not looked at."))
        } catch {}  // said already, by the part that cannot be opened
        return findings
    }

    /// Whether a database is there, or a place for one is missing: then opening it says so.
    private var hasDatabase: Bool {
        guard let path = configuration.database.path else { return true }
        let parent = URL(fileURLWithPath: path).deletingLastPathComponent().path
        return configuration.database.exists || !FileManager.default.fileExists(atPath: parent)
    }

    private func words(_ error: any Error) -> String { (error as? UsherError)?.message ?? "\(error)" }

    /// The database, and whether the vault's keys open what lies in it.
    /// - Returns: how many API keys let their holder in, too.
    private func stored() async -> (findings: [Finding], keys: Int) {
        guard hasDatabase else {
            return ([.fine("database", "none yet at \(configuration.database.name); `usher serve` makes it, and its key file")], 0)
        }
        let store: Store
        do { store = try await Runtime.store(configuration, settles: false) } catch {
            let remedy =
                configuration.database.path == nil
                ? "DATABASE_URL names it: see that the server runs, and lets this user and this machine in"
                : "DATABASE_URL names it, and `usher doctor --fix` makes a folder that is missing"
            return ([.wrong("database", words(error), "\(remedy); the vault and the providers were not looked at.")], 0)
        }
        var findings = [Finding.fine("database", "\(configuration.database.name) opens, and its schema is current")]
        do {
            _ = try await Runtime.vault(configuration, store, .system)
            findings.append(.fine("vault", "stored secrets open"))
        } catch {
            findings.append(
                .wrong(
                    "vault", words(error),
                    "\(vaultRemedy); the providers were not looked at."
                ))
        }
        do {
            findings += try await place(store)
            findings += try await store.database.examine().map { found in
                found.remedy.isEmpty ? .fine("database", found.text) : .wrong("database", found.text, found.remedy)
            }
            findings += try await servers(store)
        } catch { findings.append(.wrong("database", "the server could not be looked at: \(error)", "Check the user's rights.")) }
        var keys = 0
        do {
            let now = Environment.system.now()
            keys = try await store.read { try $0.keys().count { now < $0.expiresAt } }
        } catch { findings.append(.wrong("database", "the API keys cannot be read: \(error)", "Check the disk.")) }
        do { try await store.database.close() } catch {
            findings.append(.wrong("database", "cannot be closed: \(error)", "Check the disk."))
        }
        return (findings, keys)
    }

    /// Whether people can sign in where the configuration says.
    private func signIn(_ context: EngineContext) async -> [Finding] {
        guard let settings = configuration.openID else { return [] }
        do throws(SignInRefusal) {
            let redirect = try await OpenIDProvider(settings, context).examine()
            let roles = settings.roles.isEmpty ? "; USHER_OIDC_ROLES is not set, so nobody opens /admin by it" : ""
            return [.fine("sign-in", "\(settings.issuer) answers; the app's redirect address there must be \(redirect)\(roles)")]
        } catch {
            return [
                .wrong(
                    "sign-in", "\(settings.issuer): \(error.reason)",
                    "Check that it is up, and that USHER_OIDC_ISSUER is spelt as it spells itself.")
            ]
        }
    }

    /// Whether anything leaves the database, and will once a server starts on it.
    private func place(_ store: Store) async throws -> [Finding] {
        if store.isHeld {
            return [.wrong("database", "it was restored or copied, and nothing leaves it", "Run `usher release`, which shows what would.")]
        }
        guard try await !store.isInPlace() else { return [] }
        return [
            .wrong(
                "database", "it lies elsewhere than before, as a copy does",
                "The server that starts on it holds it; `usher release` lets it go, or `usher release --copy` as one of its own.")
        ]
    }

    /// Who works on the database, and whether they all run the catalogue that is in force.
    private func servers(_ store: Store) async throws -> [Finding] {
        let inForce = try await store.read { try $0.catalogueDigest() }
        let processes = try await store.livingServers(now: Environment.system.now())
        guard !processes.isEmpty else { return [] }
        let names = processes.map { "\($0.host) (\($0.version))" }.joined(separator: ", ")
        let others = processes.filter { $0.catalogue != inForce }
        return [.fine("servers", names)]
            + others.map {
                .wrong(
                    "servers", "\($0.host) runs another catalogue than the one in force",
                    "It takes it over within seconds; if not, see its log.")
            }
    }

    private var vaultRemedy: String {
        guard let keys = configuration.vaultKeys else {
            return
                "Put back the key file \(Runtime.vaultKeyFile(configuration)), or set USHER_VAULT_KEYS or USHER_VAULT_KEYS_FILE to its keys"
        }
        let isReadable = (try? VaultKeys.parse(keys)) != nil
        return isReadable
            ? "Add the old key to \(configuration.vaultKeysSource), behind the newer ones" : "Correct \(configuration.vaultKeysSource)"
    }

    /// - Parameter keys: those made with `usher key` that let their holder in.
    private func access(keys: Int) -> [Finding] {
        var findings: [Finding] = []
        if configuration.adminKey != nil {
            findings.append(.fine("api", "USHER_API_KEY is set"))
        } else if keys > 0 {
            findings.append(
                .fine("api", "\(counted(keys, "key")) \(keys == 1 ? "was" : "were") made with `usher key`; USHER_API_KEY is not set"))
        } else {
            findings.append(
                .wrong("api", "there is no API key, so every call is refused", "Make one with `usher key create`, or set USHER_API_KEY."))
        }
        if configuration.publicURL.hasPrefix("http://"), !configuration.publicURL.hasPrefix("http://localhost"),
            !configuration.publicURL.hasPrefix("http://127.0.0.1")
        {
            findings.append(
                .wrong("api", "links in mail are not encrypted: \(configuration.publicURL)", "Set USHER_PUBLIC_URL to an https:// address.")
            )
        }
        return findings
    }

    private func catalog(_ report: CatalogReport) -> Finding {
        guard let catalog = report.catalog else {
            return .wrong(
                "catalogue", report.diagnostics.first?.text(file: configuration.catalogPath) ?? "cannot be read",
                "Run `usher check` to see all findings.")
        }
        return .fine(
            "catalogue",
            "\(configuration.catalogPath): \(counted(catalog.meetingTypes.count, "meeting type")), \(counted(catalog.providers.count, "provider"))"
        )
    }

    private func provider(_ entry: ProviderEntry, _ file: [Owner], _ runtime: Runtime) async -> [Finding] {
        let area = "provider \(entry.name)"
        guard !runtime.context.store.isHeld else { return [.fine(area, "not asked, because nothing leaves until `usher release`")] }
        let stored: [StoredOwner]
        do { stored = try await runtime.context.store.read { try $0.owners() } } catch {
            return [.wrong(area, "the owners cannot be read, so no host was checked: \(error)", "Check the file that DATABASE_URL names.")]
        }
        let owners = file + stored.filter { $0.isActive && !$0.isInFile }.map(\.owner)
        if let module = registry.module(entry.module) as? any ConnectableProvider.Type {
            return await connections(entry, module, owners, runtime) + eventSecrets(entry)
        }
        let needsHost = registry.descriptor(entry.module)?.capabilities.contains(.host) == true
        let hosts = needsHost ? owners.map { $0.hosts[entry.name] ?? $0.email } : []
        do throws(ProviderError) {
            let began = runtime.context.now
            let (module, call) = try ProviderResolver(runtime.context).call(entry.name, deadline: began + .seconds(30))
            let preflight = await module.preflight(hosts: hosts, call)
            // What concerns one host alone is not the provider's health.
            let matter = preflight.problems.first { $0.code != .hostUnknown }
            do { try await runtime.context.health.examined(entry.name, matter, now: runtime.context.now) } catch {
                return [.wrong(area, "its health cannot be written down: \(error)", "Check the file that DATABASE_URL names.")]
            }
            var findings = preflight.problems.map { Finding.wrong(area, $0.message, $0.remedy) }
            if findings.isEmpty {
                findings = [.fine(area, hosts.isEmpty ? "can make rooms" : "can make rooms for \(counted(hosts.count, "host"))")]
            }
            return findings + clock(preflight.providerTime, since: began, area, runtime)
        } catch { return [.wrong(area, error.message, error.remedy)] }
    }

    /// A provider that owners connect: the app's credentials, and each connection.
    private func connections(
        _ entry: ProviderEntry, _ module: any ConnectableProvider.Type, _ owners: [Owner], _ runtime: Runtime
    ) async -> [Finding] {
        let area = "provider \(entry.name)"
        let provisioner = ProviderResolver(runtime.context)
        if let problem = provisioner.readinessProblem(entry) { return [.wrong(area, problem.message, problem.remedy)] }
        var findings: [Finding] = [
            .fine(area, "credentials are set; the app's redirect address must be \(configuration.publicURL)\(module.consent.callbackPath)")
        ]
        do {
            let failing = try await runtime.context.health.all().first { $0.provider == entry.name }
            if let failing {
                findings.append(.wrong(area, "failing since \(failing.since.rfc3339): \(failing.problem.message)", failing.problem.remedy))
            }
        } catch { findings.append(.wrong(area, "its health cannot be read: \(error)", "Check the file that DATABASE_URL names.")) }
        for owner in owners {
            do throws(ProviderError) {
                let began = runtime.context.now
                let (module, call) = try await provisioner.call(entry.name, owner: owner.id, deadline: began + .seconds(30))
                let preflight = await module.preflight(hosts: [], call)
                findings += preflight.problems.map { .wrong("\(area), \(owner.id)", $0.message, $0.remedy) }
                if preflight.problems.isEmpty {
                    findings.append(.fine("\(area), \(owner.id)", "connected as \(call.connection?.account.email ?? "")"))
                }
                findings += clock(preflight.providerTime, since: began, area, runtime)
            } catch { if error.code != .notConnected { findings.append(.wrong("\(area), \(owner.id)", error.message, error.remedy)) } }
        }
        return findings
    }

    /// Without its secret nothing that the service sends can be believed.
    private func eventSecrets(_ entry: ProviderEntry) -> [Finding] {
        guard let module = registry.module(entry.module) as? any EventfulProvider.Type else { return [] }
        let prefix = entry.credentials ?? module.descriptor.credentialPrefix
        return module.eventPaths.compactMap { path in
            let names = path.secrets.map { "\(prefix)_\($0)" }
            guard names.allSatisfy({ configuration.values[$0] == nil }) else { return nil }
            return .wrong(
                "provider \(entry.name)", "\(path.path) answers 503, because no secret is set",
                "Set \(names.joined(separator: " or ")) to the app's secret token.")
        }
    }

    /// - Parameters:
    ///   - time: what the provider's clock said between `began` and now.
    private func clock(_ time: Instant?, since began: Instant, _ area: String, _ runtime: Runtime) -> [Finding] {
        guard let time else { return [] }
        // A slow answer is no difference.
        let difference = time < began ? began - time : time > runtime.context.now ? runtime.context.now - time : .zero
        guard abs(difference.microseconds) > Self.clockTolerance.microseconds else { return [.fine("clock", "agrees with \(area)")] }
        return [
            .wrong(
                "clock", "this machine's clock differs from \(area)'s by \(difference.wholeSeconds) s",
                "Set the clock, for instance with systemd-timesyncd.")
        ]
    }
}
