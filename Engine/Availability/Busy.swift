import UsherCore

/// Why a host cannot be booked for a start.
package enum Unavailability: String, Hashable, Sendable, CaseIterable, Codable {
    case noSchedule = "no-schedule"
    case outsideHours = "outside-hours"
    case notOnGrid = "not-on-grid"
    case notice, horizon, limit
    case busyBooking = "busy-booking"
    case busyHold = "busy-hold"
    case busyCalendar = "busy-calendar"
    case calendarStale = "calendar-stale"
    case capacity

    /// Whether a caller who may book at any time passes over it.
    package var yieldsToAnyTime: Bool {
        switch self {
        case .busyBooking, .busyHold: false
        default: true
        }
    }
}

/// A time at which a host is taken, and by what.
package struct Busy: Hashable, Sendable {
    package enum Kind: Hashable, Sendable {
        /// A booking or a hold of this system, with the free time that it wants around it.
        case booking(SlotBuffer)
        case hold(SlotBuffer)
        /// An event of a calendar that counts.
        case calendar
        /// Nobody knows what a calendar that counts holds then.
        case unknown
        /// The account at the provider can hold no more.
        case capacity
    }
    package var interval: Interval
    package var kind: Kind

    /// Takes each property as it is.
    package init(_ interval: Interval, _ kind: Kind) {
        self.interval = interval
        self.kind = kind
    }

    /// Why a start that meets it is no slot.
    package var reason: Unavailability {
        switch kind {
        case .booking: .busyBooking
        case .hold: .busyHold
        case .calendar: .busyCalendar
        case .unknown: .calendarStale
        case .capacity: .capacity
        }
    }

    /// The starts at which a meeting of this length would meet it.
    /// - Parameter buffer: that the new meeting wants.
    func starts(_ length: Duration, _ buffer: SlotBuffer) -> Interval {
        let (before, after): (Duration, Duration) =
            switch kind {
            case .booking(let own), .hold(let own): (max(own.before, buffer.after), max(own.after, buffer.before))
            case .calendar, .unknown: (buffer.after, buffer.before)
            case .capacity: (.zero, .zero)
            }
        // It begins before the other's end and ends after the other's start.
        return Interval(interval.start - before - length + .microseconds(1), interval.end + after)
    }
}

extension [Interval] {
    /// When `capacity` of these, or more, go on at once: in order.
    package func times(when capacity: Int) -> [Interval] {
        guard count >= capacity else { return [] }
        let ends = flatMap { [(at: $0.start, change: 1), (at: $0.end, change: -1)] }
            .sorted { ($0.at, $0.change) < ($1.at, $1.change) }
        var (full, going): ([Interval], Int) = ([], 0)
        for (at, change) in ends {
            going += change
            if change == 1, going == capacity { full.append(Interval(at, at)) }
            if change == -1, going == capacity - 1 { full[full.count - 1].end = at }
        }
        return full.united
    }
}
