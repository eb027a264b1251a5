import UsherCore
import UsherStore
import UsherVault

/// Callers' keys: made, shown once, hashed at rest, revoked.
package struct APIKeys: Sendable {
    private let context: EngineContext

    /// The time of the last use is written down no more often than this.
    private static let usePrecision = Duration.minutes(1)
    private static let longestName = 80

    package init(_ context: EngineContext) { self.context = context }

    /// - Parameter lifetime: `nil` never ends.
    /// - Returns: the key, which nothing can show again, and what is kept of it.
    /// - Throws: ``ErrorCode/validationFailed``.
    package func create(name: String, scopes: Set<Scope>, lifetime: Duration?) async throws -> (key: Secret, stored: StoredKey) {
        var findings: [UsherError.Finding] = []
        let name = name.trimmingBlanks
        if name.isEmpty || name.count > Self.longestName || name.unicodeScalars.contains(where: \.isControl) {
            findings.append(.init("/name", "one line of 1 to \(Self.longestName) characters"))
        }
        if scopes.isEmpty {
            findings.append(.init("/scopes", "at least one of: \(Scope.allCases.map(\.rawValue).joined(separator: ", "))"))
        }
        if let lifetime, lifetime <= .zero { findings.append(.init("/expires", "must be longer than nothing, such as 90d")) }
        guard findings.isEmpty else { throw UsherError(.validationFailed, "The key cannot be made as asked.", findings: findings) }
        let secret = "usher_" + context.environment.code(bits: 200)
        let now = context.now
        let stored = StoredKey(
            id: context.environment.id("key_"), name: name, hash: Vault.hash(secret.utf8), scopes: scopes, createdAt: now,
            expiresAt: lifetime.map { now + $0 } ?? .never)
        try await context.store.write { tx in
            try tx.add(stored)
            try context.audit("key.create", stored.id, tx)
        }
        return (Secret(secret), stored)
    }

    package func list() async throws -> [StoredKey] { try await context.store.read { try $0.keys() } }

    /// How many let their holder in now.
    package func countAlive() async throws -> Int {
        let now = context.now
        return try await list().count { now < $0.expiresAt }
    }

    /// - Throws: ``ErrorCode/notFound``.
    package func revoke(_ id: String) async throws {
        let isGone = try await context.store.write { tx in
            guard try tx.removeKey(id) else { return false }
            try context.audit("key.revoke", id, tx)
            return true
        }
        guard isGone else {
            throw UsherError(.notFound, "No key has the id '\(id.prefix(80))'; `usher key list` shows them.")
        }
    }

    /// Whose key this is; `nil` for one that is unknown, revoked or has run out. Found by its hash, so that no comparison can be timed.
    package func holder(of key: Secret) async throws -> StoredKey? {
        let hash = Vault.hash(key.reveal().utf8)
        let now = context.now
        guard let stored = try await context.store.read({ try $0.key(hash: hash, now: now) }) else { return nil }
        if stored.usedAt.map({ $0 + Self.usePrecision <= now }) ?? true {
            try await context.store.write { try $0.keyWasUsed(stored.id, at: now) }
        }
        return stored
    }
}

extension StoredKey {
    /// As the CLI shows it: never the key.
    package var json: JSON {
        [
            "id": .string(id), "name": .string(name), "scopes": .array(scopes.map(\.rawValue).sorted().map(JSON.string)),
            "createdAt": .string(createdAt.rfc3339), "expiresAt": expiresAt == .never ? .null : .string(expiresAt.rfc3339),
            "lastUsedAt": usedAt.map { .string($0.rfc3339) } ?? .null,
        ]
    }
}
