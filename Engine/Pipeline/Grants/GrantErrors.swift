import UsherCore

extension ProviderError {
    static func notConnected(_ service: String) -> ProviderError {
        ProviderError(
            .notConnected, retry: .never, "\(service) is not connected.",
            remedy: "Connect \(service) on the owner's page; what waits then resumes by itself.")
    }
    static func reauthorize(_ service: String) -> ProviderError {
        ProviderError(
            .reauthorize, retry: .never, "\(service) has ended the connection.",
            remedy: "The owner connects \(service) again; what waits then resumes by itself.")
    }
    static func otherApp(_ service: String) -> ProviderError {
        ProviderError(
            .reauthorize, retry: .never, "\(service) is connected through an app that is not set up here any more.",
            remedy: "The owner connects \(service) again; what waits then resumes by itself.")
    }
}
