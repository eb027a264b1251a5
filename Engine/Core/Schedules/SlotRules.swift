/// When a meeting type can be booked.
public struct SlotRules: Hashable, Sendable, Codable {
    /// The name of a schedule beside the host's own: their intersection counts; `nil` for the host's alone.
    public var schedule: String?
    /// From one start to the next, from each window's beginning on; `nil` for the shortest duration.
    public var step: Duration?
    /// From now to the earliest start.
    public var notice: Duration
    /// So many days from today, in the host's zone, the last one whole.
    public var horizon: Int
    /// Free time around the meeting.
    public var buffer: SlotBuffer
    /// How many meetings of the type a host has.
    public var limits: SlotLimits
    /// How long a hold lives.
    public var hold: Duration

    /// What holds where the file says nothing.
    public static let usualHorizon = 60
    /// What holds where the file says nothing.
    public static let usualHold = Duration.minutes(10)
    /// The most free time before or after a meeting.
    public static let longestBuffer = Duration.hours(12)
    /// The shortest and the longest life of a hold.
    public static let holds = Duration.minutes(1)...Duration.hours(1)

    /// Takes each property as it is.
    public init(
        schedule: String? = nil, step: Duration? = nil, notice: Duration = .zero, horizon: Int = SlotRules.usualHorizon,
        buffer: SlotBuffer = SlotBuffer(), limits: SlotLimits = SlotLimits(), hold: Duration = SlotRules.usualHold
    ) {
        self.schedule = schedule
        self.step = step
        self.notice = notice
        self.horizon = horizon
        self.buffer = buffer
        self.limits = limits
        self.hold = hold
    }
}

/// Free time around a meeting. Between two meetings the larger of the one's `after` and the other's `before` counts.
public struct SlotBuffer: Hashable, Sendable, Codable {
    /// Before the start.
    public var before: Duration
    /// After the end.
    public var after: Duration

    /// Takes each property as it is.
    public init(before: Duration = .zero, after: Duration = .zero) {
        self.before = before
        self.after = after
    }
}

/// The most meetings, and the most minutes of meetings, in a day, an ISO week and a month of the host's zone; `nil` for any number.
public struct SlotLimits: Hashable, Sendable, Codable {
    /// Meetings.
    public var day: Int?
    /// Meetings.
    public var week: Int?
    /// Meetings.
    public var month: Int?
    /// Minutes, without buffers.
    public var dayMinutes: Int?
    /// Minutes, without buffers.
    public var weekMinutes: Int?
    /// Minutes, without buffers.
    public var monthMinutes: Int?

    /// Takes each property as it is.
    public init(
        day: Int? = nil, week: Int? = nil, month: Int? = nil, dayMinutes: Int? = nil, weekMinutes: Int? = nil, monthMinutes: Int? = nil
    ) {
        self.day = day
        self.week = week
        self.month = month
        self.dayMinutes = dayMinutes
        self.weekMinutes = weekMinutes
        self.monthMinutes = monthMinutes
    }

    /// Whether nothing is limited.
    public var isEmpty: Bool { self == SlotLimits() }
}
