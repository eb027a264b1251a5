import UsherCore

/// How long to wait before another try: doubled each time from `first` to `longest`, and then spread by a quarter either way,
/// so that what failed together does not come back together.
package struct RetryPolicy: Sendable {
    package var first: Duration
    package var longest: Duration

    package func delay(afterFailures failures: Int64, _ environment: Environment) -> Duration {
        let doublings = min(max(failures - 1, 0), 20)
        let plain = min(first.microseconds << doublings, longest.microseconds)
        let spread = Int64(environment.random(1)[0])
        return .microseconds(plain * (192 + spread / 2) / 256)
    }

    /// Calls to a provider that is down or wants us to slow down.
    static let provider = RetryPolicy(first: .seconds(2), longest: .minutes(10))
    /// A look whether a person has mended what blocks.
    static let blocked = RetryPolicy(first: .minutes(1), longest: .hours(1))
    /// A look whether a room is there, at an account that a person must mend.
    static let unclear = RetryPolicy(first: .minutes(1), longest: .hours(6))
    /// An event on a calendar, for which nobody waits.
    static let calendar = RetryPolicy(first: .seconds(10), longest: .hours(1))
    /// An event on a calendar that a person must mend; connecting anew has it looked at, too.
    static let blockedCalendar = RetryPolicy(first: .minutes(1), longest: .hours(12))
    /// A calendar that cannot be read.
    static let busyCalendar = RetryPolicy(first: .minutes(1), longest: .minutes(30))
    /// Mail that was not taken.
    static let mail = RetryPolicy(first: .seconds(5), longest: .minutes(30))
    /// A job whose own work went wrong.
    static let job = RetryPolicy(first: .seconds(5), longest: .minutes(30))

    /// Events for webhooks: from one try to the next; after the last the delivery has failed.
    package static let webhookSchedule: [Duration] = [
        .seconds(5), .minutes(5), .minutes(30), .hours(2), .hours(5), .hours(10), .hours(14), .hours(20), .hours(24),
    ]
}
