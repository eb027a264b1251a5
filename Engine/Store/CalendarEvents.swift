import UsherCore

/// The entry of a booking on its owner's connected calendar.
package struct CalendarRecord: Hashable, Sendable {
    /// What is known of the event.
    package enum State: String, Sendable, CaseIterable {
        /// Asked for; it may stand there.
        case asked
        case made
        /// It could not be made or changed, and is not tried again. It may be there: a cancellation takes it out.
        case givenUp = "given-up"
        /// The owner has taken it out, or it could not be removed: it is left alone.
        case over
    }

    /// The booking that it shows.
    package var bookingID: String
    /// The provider whose connection leads to the calendar.
    package var provider: String
    /// The account whose calendar it stands on.
    package var accountID: String
    /// 128 unguessable bits in base32, chosen here.
    package var eventID: String
    /// What is known of the event.
    package var state: State
    /// Of what it was last made to say; empty while the provider has not answered to that.
    package var digest: String

    /// Takes each property as it is.
    package init(bookingID: String, provider: String, accountID: String, eventID: String, state: State, digest: String) {
        self.bookingID = bookingID
        self.provider = provider
        self.accountID = accountID
        self.eventID = eventID
        self.state = state
        self.digest = digest
    }

    /// Whether it follows its booking.
    package var isKept: Bool { state == .asked || state == .made }
}

/// Statements on events in owners' calendars.
enum CalendarSQL: String, SQLStatement {
    case save = """
        INSERT INTO calendar_events (booking_id, provider, account_id, event_id, state, digest) VALUES ($1, $2, $3, $4, $5, $6)
        ON CONFLICT (booking_id) DO UPDATE SET provider = excluded.provider, account_id = excluded.account_id,
            event_id = excluded.event_id, state = excluded.state, digest = excluded.digest
        """
    case one = "SELECT provider, account_id, event_id, state, digest FROM calendar_events WHERE booking_id = $1"
    case remove = "DELETE FROM calendar_events WHERE booking_id = $1"
}

extension Tx {
    /// Keeps what is known of a booking's event.
    package func save(_ event: CalendarRecord) throws {
        try write(
            CalendarSQL.save, .text(event.bookingID), .text(event.provider), .text(event.accountID), .text(event.eventID),
            .text(event.state.rawValue), .text(event.digest))
    }

    /// What is known of a booking's event; `nil` where there never was one.
    package func calendarRecord(of bookingID: String) throws -> CalendarRecord? {
        try query(CalendarSQL.one, .text(bookingID)).first.map { row in
            CalendarRecord(
                bookingID: bookingID, provider: try row.text(0), accountID: try row.text(1), eventID: try row.text(2),
                state: try known(row.text(3)), digest: try row.text(4))
        }
    }

    /// Forgets a booking's event.
    package func removeCalendarRecord(of bookingID: String) throws { try write(CalendarSQL.remove, .text(bookingID)) }
}
