import UsherCore
import UsherStore

/// What keeps providers from being asked for an owner's room, in one transaction. What the owner has connected is read once, and only
/// for a provider that owners connect.
final class OwnerReadiness {
    private let context: EngineContext
    private let owner: String
    private let tx: Tx
    private var accounts: OwnerAccounts?
    private var failure: (any Error)?

    init(_ context: EngineContext, owner: String, _ tx: Tx) {
        self.context = context
        self.owner = owner
        self.tx = tx
    }

    /// Resolution does not fail; ``check()`` says whether what this told can be relied on.
    func problem(_ entry: ProviderEntry) -> Problem? {
        let isOwners = context.registry.descriptor(entry.module)?.connection == .owner
        return ProviderResolver(context).readinessProblem(entry, isOwners ? ownAccounts() : .none)
    }

    func check() throws {
        if let failure { throw failure }
    }

    private func ownAccounts() -> OwnerAccounts {
        if let accounts { return accounts }
        do {
            let read = try context.accounts(of: owner, tx)
            accounts = read
            return read
        } catch {
            failure = error
            return .none
        }
    }
}
