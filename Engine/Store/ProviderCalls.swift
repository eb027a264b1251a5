import UsherCore

/// An account that calls of a day were made for, and how many.
package struct ProviderCalls: Hashable, Sendable {
    /// The provider's name in `meeting-types.yaml`.
    package var provider: String
    /// The host, as the provider calls it.
    package var account: String
    /// Rooms made and moved.
    package var calls: Int64

    /// Takes each property as it is.
    package init(provider: String, account: String, calls: Int64) {
        self.provider = provider
        self.account = account
        self.calls = calls
    }
}

/// Statements on what all servers together have asked of providers.
enum ProviderCallSQL: String, SQLStatement {
    case add = """
        INSERT INTO provider_calls (day, provider, account, calls) VALUES ($1, $2, $3, $4)
        ON CONFLICT (day, provider, account) DO UPDATE SET calls = provider_calls.calls + excluded.calls
        """
    case of = "SELECT provider, account, calls FROM provider_calls WHERE day = $1"
    case remove = "DELETE FROM provider_calls WHERE day < $1"
}

extension Tx {
    /// Adds calls to those of a day, and forgets earlier days.
    /// - Parameter day: since 1970-01-01, in UTC.
    package func add(_ calls: [ProviderCalls], day: Int64) throws {
        try forgetProviderCalls(before: day)
        // In one order, as two servers may add at once.
        for one in calls.sorted(by: { ($0.provider, $0.account) < ($1.provider, $1.account) }) {
            try write(ProviderCallSQL.add, .int(day), .text(one.provider), .text(one.account), .int(one.calls))
        }
    }
    /// Forgets the calls of earlier days.
    package func forgetProviderCalls(before day: Int64) throws { try write(ProviderCallSQL.remove, .int(day)) }
    /// The calls of a day, in no order.
    package func providerCalls(day: Int64) throws -> [ProviderCalls] {
        try query(ProviderCallSQL.of, .int(day)).map {
            ProviderCalls(provider: try $0.text(0), account: try $0.text(1), calls: try $0.int(2))
        }
    }
}
