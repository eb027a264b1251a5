import UsherCore
import UsherStore
import UsherVault

/// Which catalogue is in force belongs to the installation, not to a server: a server with an older file takes what the others have.
package struct InstallationCatalogue: Sendable {
    private let context: EngineContext

    /// - Parameter context: with the database that the servers share.
    package init(_ context: EngineContext) { self.context = context }

    /// A file as a server has it.
    package struct File: Sendable {
        package var text: String
        package var catalog: Catalog
        /// When it was changed last.
        package var changedAt: Instant

        /// Takes each property as it is.
        package init(text: String, catalog: Catalog, changedAt: Instant) {
            self.text = text
            self.catalog = catalog
            self.changedAt = changedAt
        }

        package var digest: String { Vault.hash(text.utf8) }
    }

    /// What to put in force.
    package enum Decision: Sendable {
        /// The file, whose owners are the installation's from now on.
        case file
        /// What other servers have put in force since the file was written.
        case newer(StoredCatalogue)
    }

    /// Puts a file in force for all servers, unless it is an older one: one that has been in force before, and was not changed since the
    /// present one came.
    package func settle(_ file: File) async throws -> Decision {
        let digest = file.digest
        return try await context.store.write { tx in
            try tx.lockCatalogue()
            let present = try tx.catalogue()
            if let present, try tx.isFormerCatalogue(digest), file.changedAt <= present.adoptedAt { return .newer(present) }
            try context.follow(file.catalog.owners, tx)
            // Of a provider that has left nobody needs to hear any more.
            for failing in try tx.failingProviders() where file.catalog.provider(failing.provider) == nil {
                try context.health.works(failing.provider, tx)
            }
            if present?.digest != digest {
                try tx.put(
                    StoredCatalogue(digest: digest, number: (present?.number ?? 0) + 1, text: file.text, adoptedAt: context.now))
            }
            return .file
        }
    }

    /// What is in force, where a file that was before has this text.
    package func newer(than text: String) async throws -> StoredCatalogue? {
        let digest = Vault.hash(text.utf8)
        return try await context.store.read { try $0.isFormerCatalogue(digest) ? $0.catalogue() : nil }
    }

    /// Enters a file's owners for a command, which puts nothing in force and has nobody leave. Those of a file that another has taken the
    /// place of are of before.
    package func enterOwners(of catalog: Catalog, text: String) async throws {
        let digest = Vault.hash(text.utf8)
        try await context.store.write { tx in
            try tx.lockCatalogue()
            if try !tx.isFormerCatalogue(digest) { try tx.adopt(catalog.owners) }
        }
    }

    /// What is in force, where that is another than `digest`.
    package func other(than digest: String) async throws -> StoredCatalogue? {
        guard let present = try await context.store.read({ try $0.catalogueDigest() }), present != digest else { return nil }
        return try await context.store.read { try $0.catalogue() }
    }
}
