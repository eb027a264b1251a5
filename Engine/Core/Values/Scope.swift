/// What an API key may do. `admin` may do all.
public enum Scope: String, Sendable, Hashable, CaseIterable {
    case bookingsRead = "bookings:read"
    case bookingsWrite = "bookings:write"
    case ownersRead = "owners:read"
    case ownersWrite = "owners:write"
    /// Sign-in links to the owners' own pages.
    case ownersImpersonate = "owners:impersonate"
    case admin
}
