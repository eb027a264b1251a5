/// The modules that this program was built with, by id.
public struct ProviderRegistry: Sendable {
    /// In the order in which they were given.
    public let modules: [any Provider.Type]
    private let byID: [String: any Provider.Type]

    /// - Throws: ``ErrorCode/configuration`` when two modules have the same id.
    public init(_ modules: [any Provider.Type]) throws(UsherError) {
        self.modules = modules
        var byID: [String: any Provider.Type] = [:]
        for module in modules {
            guard byID.updateValue(module, forKey: module.descriptor.id) == nil else {
                throw UsherError(.configuration, "Two provider modules are called '\(module.descriptor.id)': give one another id.")
            }
        }
        self.byID = byID
    }

    /// The module of that id.
    public func module(_ id: String) -> (any Provider.Type)? { byID[id] }
    /// What the environment variables of a provider's app begin with.
    public func prefix(_ entry: ProviderEntry) -> String { entry.credentials ?? descriptor(entry.module)?.credentialPrefix ?? "" }
    /// Whole names of the variables that replace a service's address.
    public var endpoints: Set<String> { Set(modules.flatMap { $0.descriptor.endpoints }) }

    /// Whether a variable may belong to an app of one of the modules: what stands before the credential's name is of the admin's
    /// choosing.
    public func isVariable(_ name: String) -> Bool {
        endpoints.contains(name) || credentialNames.contains { name.hasSuffix("_" + $0) }
    }

    /// The names of all credentials after their prefix, the secrets that services sign events with among them.
    private var credentialNames: Set<String> {
        Set(
            modules.flatMap { module in
                module.descriptor.credentials + module.descriptor.optionalCredentials
                    + ((module as? any EventfulProvider.Type)?.eventPaths.flatMap(\.secrets) ?? [])
            })
    }

    /// What the module of that id is.
    public func descriptor(_ id: String) -> ProviderDescriptor? { byID[id]?.descriptor }
}
