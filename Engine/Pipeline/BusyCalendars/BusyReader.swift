import UsherCore
import UsherStore
import UsherVault

/// Where a calendar is and who reads it, as it is sealed for the database.
struct CalendarCredentials: Hashable, Codable {
    var address: String
    var user: String
    var password: String
}

/// Asks the sources of busy times.
struct BusyReader {
    let context: EngineContext

    /// The source of that kind.
    func source(_ kind: String) -> (any BusySource.Type)? { context.busySources.first { $0.descriptor.kind == kind } }

    /// What a source is asked with, for a calendar with an address of its own.
    func call(_ credentials: CalendarCredentials, _ kind: String, deadline: Instant) -> BusyContext {
        BusyContext(
            address: Secret(credentials.address), user: credentials.user, password: Secret(credentials.password),
            call: ProviderContext(
                provider: kind, settings: .object([]), credentials: [:], endpoints: [:],
                transport: context.calendars.transport ?? context.transport,
                tokens: context.tokens, deadline: deadline, environment: context.environment))
    }

    /// What a source is asked with, for a calendar that a connection leads to.
    func call(owner: String, provider: String, deadline: Instant) async throws(ProviderError) -> BusyContext {
        BusyContext(call: try await ProviderResolver(context).call(provider, owner: owner, deadline: deadline).call)
    }

    func call(_ calendar: StoredCalendar, deadline: Instant) async throws(ProviderError) -> BusyContext {
        guard calendar.provider.isEmpty else {
            return try await call(owner: calendar.ownerID, provider: calendar.provider, deadline: deadline)
        }
        do {
            let context = StoredCalendar.context(calendar.id)
            return call(
                try self.context.vault.open(CalendarCredentials.self, calendar.sealed, context: context), calendar.kind, deadline: deadline)
        } catch {
            throw ProviderError(
                .reauthorize, retry: .never, "The calendar's address cannot be read.", remedy: "Connect the calendar again.",
                cause: error.message)
        }
    }
}
