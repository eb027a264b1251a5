import UsherCore

enum ProviderModules {
    /// Every module that `meeting-types.yaml` may name.
    @TaskLocal static var known: [any Provider.Type] = []
}
