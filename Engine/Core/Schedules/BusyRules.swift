/// What holds while an owner's calendars cannot be read.
public struct BusyRules: Hashable, Sendable {
    /// What is offered where a calendar was not heard of for longer than ``maxAge``.
    public enum WhenStale: String, Sendable, CaseIterable { case closed, open }

    /// A calendar that was heard of within this time counts as known.
    public var maxAge: Duration
    /// What is offered after that.
    public var whenStale: WhenStale

    /// What holds where the file says nothing.
    public static let usual = BusyRules(maxAge: .hours(2), whenStale: .closed)

    /// Takes each property as it is.
    public init(maxAge: Duration, whenStale: WhenStale) {
        self.maxAge = maxAge
        self.whenStale = whenStale
    }
}
