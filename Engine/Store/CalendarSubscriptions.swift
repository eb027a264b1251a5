import UsherCore

/// A subscription to a calendar's changes at its service, and the token by which the service is known.
package struct StoredSubscription: Hashable, Sendable {
    /// Of which calendar. The row stays until the subscription has been ended, also when the calendar is gone.
    package var calendarID: String
    /// Whose.
    package var ownerID: String
    /// ``BusySourceDescriptor/kind``
    package var kind: String
    /// The provider whose connection leads to it.
    package var provider: String
    /// The token.
    package var sealed: String
    /// `nil` while the service is asked.
    package var remote: ServiceSubscription?
    /// When a new one is asked for.
    package var renewAt: Instant

    /// Takes each property as it is.
    package init(
        calendarID: String, ownerID: String, kind: String, provider: String, sealed: String, remote: ServiceSubscription? = nil,
        renewAt: Instant = .epoch
    ) {
        self.calendarID = calendarID
        self.ownerID = ownerID
        self.kind = kind
        self.provider = provider
        self.sealed = sealed
        self.remote = remote
        self.renewAt = renewAt
    }

    /// What its token is sealed for.
    package static func context(_ calendar: String) -> String { "calendar-subscription:" + calendar }
}

/// The columns of `calendar_subscriptions`.
enum CalendarSubscriptionColumn: Int, Column {
    case calendarID, ownerID, kind, provider, sealed, remote, renewAt

    static let table = "calendar_subscriptions"
}

/// Statements on what services tell of calendars.
enum CalendarSubscriptionSQL: String, SQLStatement {
    case add = "INSERT INTO calendar_subscriptions ({calendar_subscriptions}) VALUES ({$7})"
    case one = "SELECT {calendar_subscriptions} FROM calendar_subscriptions WHERE calendar_id = $1{lock}"
    case subscribe = "UPDATE calendar_subscriptions SET remote = $1, renew_at = $2 WHERE calendar_id = $3"
    case remove = "DELETE FROM calendar_subscriptions WHERE calendar_id = $1"
    case removeOfConnection = "DELETE FROM calendar_subscriptions WHERE owner_id = $1 AND provider = $2"
    case removeOfOwner = "DELETE FROM calendar_subscriptions WHERE owner_id = $1"

    static let texts: [String: StatementText] = texts(CalendarSubscriptionColumn.self)
}

extension Tx {
    /// Adds what a service is about to be asked for.
    package func add(_ subscription: StoredSubscription) throws {
        try write(
            CalendarSubscriptionSQL.add, .text(subscription.calendarID), .text(subscription.ownerID), .text(subscription.kind),
            .text(subscription.provider), .text(subscription.sealed), SQLValue(try subscription.remote.map { try Stored.text($0) }),
            SQLValue(subscription.renewAt))
    }

    /// That of a calendar; locked where it may be written.
    package func subscription(ofCalendar id: String) throws -> StoredSubscription? {
        try query(CalendarSubscriptionSQL.one, .text(id)).first.map { row in
            let row = TableRow<CalendarSubscriptionColumn>(row)
            return StoredSubscription(
                calendarID: try row.text(.calendarID), ownerID: try row.text(.ownerID), kind: try row.text(.kind),
                provider: try row.text(.provider), sealed: try row.text(.sealed),
                remote: try row.optionalValue(ServiceSubscription.self, .remote), renewAt: try row.instant(.renewAt))
        }
    }

    /// The service has agreed.
    package func markSubscribed(_ subscription: StoredSubscription) throws {
        try write(
            CalendarSubscriptionSQL.subscribe, SQLValue(try subscription.remote.map { try Stored.text($0) }),
            SQLValue(subscription.renewAt),
            .text(subscription.calendarID))
    }

    /// Forgets that of a calendar.
    package func removeSubscription(ofCalendar id: String) throws { try write(CalendarSubscriptionSQL.remove, .text(id)) }
    /// Forgets those that a connection leads to, or all of an owner. Without the connection none can be ended at the service: what comes
    /// is refused until they end by themselves, within days.
    package func removeSubscriptions(of owner: String, provider: String? = nil) throws {
        guard let provider else { return try write(CalendarSubscriptionSQL.removeOfOwner, .text(owner)) }
        try write(CalendarSubscriptionSQL.removeOfConnection, .text(owner), .text(provider))
    }
}
