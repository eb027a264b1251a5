import UsherCore

extension ProviderContext {
    /// The address of a server that the admin runs, from the file before the environment, without a slash at its end.
    /// - Throws: an error that says where to write it, with `example`.
    public func address(_ setting: String, or variable: String, example: String) throws(ProviderError) -> String {
        guard let address = settings[setting]?.string ?? endpoints[variable], address.hasPrefix("https://") || address.hasPrefix("http://")
        else {
            throw ProviderError(
                .rejected, retry: .never, "The provider '\(provider)' has no address.",
                remedy: "Write `url: \"\(example)\"` under providers.\(provider) in meeting-types.yaml, or set \(variable).")
        }
        return address.hasSuffix("/") ? String(address.dropLast()) : address
    }
}
