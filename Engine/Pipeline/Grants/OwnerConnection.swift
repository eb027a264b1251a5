import UsherCore
import UsherStore

/// An owner's connection as a module uses it.
struct OwnerConnection: Connection {
    let stored: StoredConnection
    let refresher: TokenRefresher
    let module: any ConnectableProvider.Type
    /// With the app's credentials, for renewing.
    let call: ProviderContext

    var account: ConnectedAccount { stored.account }

    func access(rejected: IssuedToken?) async throws(ProviderError) -> IssuedToken {
        try await refresher.access(stored, module, call, rejected: rejected)
    }
}
