/// What an owner is alerted of. For each subject there is one alert at a time.
package enum AlertSubject: Hashable, Sendable {
    /// An account that must be connected again.
    case connection(owner: String, provider: String)
    /// A booking whose room needs a person.
    case booking(String)
    /// A sign-in link that was asked for.
    case signIn(owner: String)
    /// A mail to an attendee that was refused for good.
    case undelivered(mail: String)
    /// A room that is not wanted any more, and could not be removed at the provider.
    case remains(booking: String)
    /// A calendar that cannot be read.
    case calendar(String)

    /// Reads ``text``; `nil` where it is none.
    package init?(_ text: String) {
        let parts = text.split(separator: " ").map(String.init)
        switch (parts.first, parts.count) {
        case ("connection", 3): self = .connection(owner: parts[1], provider: parts[2])
        case ("booking", 2): self = .booking(parts[1])
        case ("signin", 2): self = .signIn(owner: parts[1])
        case ("undelivered", 2): self = .undelivered(mail: parts[1])
        case ("remains", 2): self = .remains(booking: parts[1])
        case ("calendar", 2): self = .calendar(parts[1])
        default: return nil
        }
    }

    /// As rows hold it.
    package var text: String {
        switch self {
        case .connection(let owner, let provider): "connection \(owner) \(provider)"
        case .booking(let id): "booking \(id)"
        case .signIn(let owner): "signin \(owner)"
        case .undelivered(let id): "undelivered \(id)"
        case .remains(let id): "remains \(id)"
        case .calendar(let id): "calendar \(id)"
        }
    }
}
