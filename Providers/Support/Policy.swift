import UsherCore

extension ProviderError {
    /// What became of a request that got no answer.
    /// - Parameter changes: whether the request changes something: only then can it be unclear.
    public static func unreachable(_ service: String, _ error: TransportError, operation: String, changes: Bool = true) -> ProviderError {
        if error.reason.hasPrefix(TransportError.refusal) {
            return ProviderError(
                .rejected, retry: .never, "This address is \(error.reason).", remedy: "Give another one, or ask the admin.",
                operation: operation,
                cause: error.reason)
        }
        var isUnclear = false
        if case .unclear = error { isUnclear = changes }
        return ProviderError(
            .unavailable, retry: .backoff, isUnclear: isUnclear, "\(service) cannot be reached.",
            remedy: ProviderError.triedAgain, operation: operation, cause: error.reason)
    }
}

/// Characters for passcodes that are read aloud and typed on phones: no `0 O 1 l I`.
public enum PasscodeAlphabet {
    /// Without 0 and 1.
    public static let digits = Array("23456789".utf8)
    /// Without `i`, `l` and `o`.
    public static let lower = Array("abcdefghjkmnpqrstuvwxyz".utf8)
    /// Without `I`, `L` and `O`.
    public static let upper = Array("ABCDEFGHJKMNPQRSTUVWXYZ".utf8)
}

extension Environment {
    /// `count` characters out of `alphabet`, each equally likely.
    public func pick(_ count: Int, from alphabet: [UInt8]) -> String {
        var out: [UInt8] = []
        let limit = 256 - 256 % alphabet.count
        while out.count < count {
            for byte in random(count) where Int(byte) < limit && out.count < count { out.append(alphabet[Int(byte) % alphabet.count]) }
        }
        return String(decoding: out, as: UTF8.self)
    }
}
