/// Weekly hours in wall time.
public struct Schedule: Hashable, Sendable, Codable {
    /// Hours on a date, in minutes from its midnight: `from` is less than 1,440, and `to` is more than `from`; beyond 1,440 it is on the
    /// next date.
    public struct Window: Hashable, Sendable, Codable {
        /// Minutes from midnight on the wall.
        public var from: Int
        /// Minutes from the same midnight.
        public var to: Int

        /// Takes each property as it is.
        public init(from: Int, to: Int) {
            self.from = from
            self.to = to
        }

        /// Reads `09:00-12:30`, `22:00-02:00`, `20:00-24:00`; `nil` for anything else.
        public init?(_ text: String) {
            let parts = text.split(separator: "-", omittingEmptySubsequences: false).map(Self.minutes)
            guard parts.count == 2, let from = parts[0], let to = parts[1], from < 1_440, from != to else { return nil }
            self.init(from: from, to: to > from ? to : to + 1_440)
        }

        private static func minutes(_ text: Substring) -> Int? {
            let parts = text.split(separator: ":", omittingEmptySubsequences: false)
            guard parts.count == 2, parts.allSatisfy({ $0.utf8.count == 2 && $0.utf8.allSatisfy { (48...57).contains($0) } }),
                let hour = Int(parts[0]), let minute = Int(parts[1]), minute < 60, hour * 60 + minute <= 1_440
            else { return nil }
            return hour * 60 + minute
        }
    }

    /// The hours of some dates, in place of the week's.
    public struct Exception: Hashable, Sendable, Codable {
        /// The first date.
        public var first: CalendarDate
        /// The last date, included.
        public var last: CalendarDate
        /// None closes the dates.
        public var windows: [Window]

        /// Takes each property as it is.
        public init(first: CalendarDate, last: CalendarDate, windows: [Window]) {
            self.first = first
            self.last = last
            self.windows = windows
        }
    }

    /// As `meeting-types.yaml` names it.
    public var name: String
    /// IANA name; `nil` for each owner's own.
    public var timeZone: String?
    /// Seven days' windows, Monday first.
    public var weekly: [[Window]]
    /// Of two that hold one date the last counts.
    public var exceptions: [Exception]
    /// The path of an iCalendar file whose events close their time.
    public var closedBy: String?

    /// Takes each property as it is.
    public init(
        name: String, timeZone: String? = nil, weekly: [[Window]], exceptions: [Exception] = [], closedBy: String? = nil
    ) {
        self.name = name
        self.timeZone = timeZone
        self.weekly = weekly
        self.exceptions = exceptions
        self.closedBy = closedBy
    }

    /// The windows that begin on a date, and whether they are an exception's.
    public func windows(on date: CalendarDate) -> (windows: [Window], isException: Bool) {
        if let exception = exceptions.last(where: { $0.first <= date && date <= $0.last }) { return (exception.windows, true) }
        return (weekly.indices.contains(date.weekday - 1) ? weekly[date.weekday - 1] : [], false)
    }
}
