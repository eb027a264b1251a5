import UsherCore

/// Where it is known from when somebody is busy, beside bookings.
package struct CalendarAccess: Sendable {
    /// What reads the calendars of owners.
    package var sources: [any BusySource.Type]
    /// The way to calendars at addresses that owners give; `nil` for the way to the providers.
    package var transport: (any Transport)?
    /// The times that calendar files beside the catalogue close.
    package var closures: Closures

    /// None where nothing is given.
    package init(
        sources: [any BusySource.Type] = [], transport: (any Transport)? = nil, closures: Closures = Closures()
    ) {
        self.sources = sources
        self.transport = transport
        self.closures = closures
    }
}
