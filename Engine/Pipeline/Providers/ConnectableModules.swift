import UsherCore

extension EngineContext {
    /// The module of a provider that owners connect.
    /// - Throws: ``ErrorCode/notFound`` when there is no such provider, ``ErrorCode/validationFailed`` when owners connect nothing there.
    package func connectableModule(_ provider: String) throws(UsherError) -> any ConnectableProvider.Type {
        guard let entry = catalog.current.provider(provider) else {
            let near = didYouMean(provider, catalog.current.providers.map(\.name))
            throw UsherError(.notFound, "No provider is called '\(provider.prefix(80))'.\(near)")
        }
        guard let module = registry.module(entry.module) as? any ConnectableProvider.Type else {
            throw UsherError(.validationFailed, "Nobody connects an account to '\(provider)': it works without.")
        }
        return module
    }
}
