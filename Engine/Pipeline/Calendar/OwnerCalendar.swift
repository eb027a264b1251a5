import UsherCore
import UsherStore

/// The calendar that an owner has connected, if there is one.
struct OwnerCalendar {
    typealias Target = (connection: StoredConnection, module: any CalendarProvider.Type)

    private let step: StepTransaction

    init(_ step: StepTransaction) { self.step = step }

    /// Whether the owner has the event on a calendar that is connected: as an entry of ours, or because the room itself is one.
    func has(_ booking: Booking) throws -> Bool {
        if isRoomAnEvent(booking) { return true }
        guard booking.terms.type.calendar, try step.tx.calendarRecord(of: booking.id)?.isKept ?? true else { return false }
        return try target(of: booking) != nil
    }

    func isRoomAnEvent(_ booking: Booking) -> Bool {
        booking.meeting.room != nil && step.context.registry.module(booking.meeting.module) is any CalendarProvider.Type
    }

    /// Where the booking's event belongs.
    func target(of booking: Booking) throws -> Target? {
        try step.context.accounts(of: booking.terms.owner.id, step.tx).connections.lazy.filter { $0.health == .ok }
            .compactMap { connection in
                (step.context.registry.module(connection.module) as? any CalendarProvider.Type).map { (connection, $0) }
            }.first
    }
}
