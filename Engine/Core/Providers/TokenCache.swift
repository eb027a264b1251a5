/// Access tokens that many processes share: stored sealed, obtained by one at a time.
public protocol TokenCache: Sendable {
    /// The token under `name`, obtained by `obtain` if there is none, if it is about to expire, or if it is `rejected`.
    ///
    /// A provider may end the old token when it issues a new one, so `obtain` runs once, however many ask.
    /// - Parameter rejected: the token that the provider has just refused.
    /// - Throws: what `obtain` throws; ``ErrorCode/unavailable`` with a short wait when another process is at it.
    func token(
        _ name: String, rejected: IssuedToken?,
        obtain: @escaping @Sendable () async throws(ProviderError) -> IssuedToken
    ) async throws(ProviderError) -> IssuedToken
}

/// An access token and what the provider said with it.
public struct IssuedToken: Hashable, Sendable {
    /// What is in the `Authorization` header.
    public var access: Secret
    /// When the provider takes it no more.
    public var expiresAt: Instant
    /// As granted; empty where the provider does not say.
    public var scopes: [String]
    /// The base address that the provider wants used with it.
    public var apiURL: String?

    /// Takes each property as it is.
    public init(access: Secret, expiresAt: Instant, scopes: [String] = [], apiURL: String? = nil) {
        self.access = access
        self.expiresAt = expiresAt
        self.scopes = scopes
        self.apiURL = apiURL
    }
}
