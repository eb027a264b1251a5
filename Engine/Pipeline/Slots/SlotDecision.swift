import UsherAvailability
import UsherCore
import UsherStore

/// Why a host cannot be booked.
package struct HostRefusal: Hashable, Sendable {
    /// An owner's id.
    package var owner: String
    /// At least one.
    package var reasons: [Unavailability]
}

/// Decides, inside the transaction that books, holds or moves, whether a time is a slot; and finds the nearest ones where it is not.
struct SlotDecision {
    let context: EngineContext
    let catalog: Catalog
    let type: MeetingType
    let rules: SlotRules
    let now: Instant
    let length: Duration
    /// Where the meeting would be held; `nil` for what the meeting type and its owner say.
    var provider: String?

    private static let mostNearest = 5

    /// Why an owner cannot be booked; empty where they can.
    func reasons(
        _ start: Instant, _ owner: Owner, except exempt: HostReader.Exempt = HostReader.Exempt(), anyTime: Bool = false, _ tx: Tx
    ) throws -> [Unavailability] {
        var reader = reader(Interval(start, start + .microseconds(1)))
        let reasons = try reader.availability(of: owner, length: length, except: exempt, anyTime: anyTime, tx).reasons(against: start)
        return anyTime ? reasons.filter { !$0.yieldsToAnyTime } : reasons
    }

    /// - Throws: ``SlotRefused``
    func refuse(
        _ start: Instant, _ refusals: [HostRefusal], _ owners: [Owner], except exempt: HostReader.Exempt = HostReader.Exempt()
    ) throws -> Never {
        throw SlotRefused(decision: self, start: start, refusals: refusals, owners: owners, exempt: exempt)
    }

    /// The free starts that are nearest to one.
    fileprivate func nearest(_ start: Instant, _ owners: [Owner], _ exempt: HostReader.Exempt, _ tx: Tx) throws -> [Instant] {
        // What lies too near or too far is looked for at the edge.
        let asked = min(max(start, now + rules.notice), now + .days(Int64(rules.horizon)))
        let range = Interval(max(now, asked - .days(7)), asked + .days(14))
        var reader = reader(range)
        let free = try owners.map { try reader.availability(of: $0, length: length, except: exempt, tx).slots(in: range) }
        func distance(_ slot: PoolSlot) -> Int64 { abs((slot.start - start).microseconds) }
        return Pool.union(free).sorted { (distance($0), $0.start) < (distance($1), $1.start) }.prefix(Self.mostNearest).map(\.start)
            .sorted()
    }

    private func reader(_ range: Interval) -> HostReader {
        HostReader(context, catalog, type, rules, provider: provider, now: now, in: range)
    }
}

/// A time was refused in a transaction, which is over: what is near is looked for outside of it, where nobody waits.
struct SlotRefused: Error {
    var decision: SlotDecision
    var start: Instant
    var refusals: [HostRefusal]
    var owners: [Owner]
    var exempt: HostReader.Exempt
}

extension EngineContext {
    /// Does what may be refused for its time.
    /// - Throws: ``ErrorCode/bookingUnavailable`` with the reasons and the nearest free starts.
    func explainingRefusals<Result>(_ body: () async throws -> Result) async throws -> Result {
        do { return try await body() } catch let refused as SlotRefused {
            let nearest = try await store.read { tx in
                try refused.decision.nearest(refused.start, refused.owners, refused.exempt, tx)
            }
            throw refused.error(nearest)
        }
    }
}

extension SlotRefused {
    fileprivate func error(_ nearest: [Instant]) -> UsherError {
        var error = UsherError(
            .bookingUnavailable, "This time cannot be booked: \(words). \(Self.advice(nearest))",
            findings: [.init("/start", "is no free time")])
        error.details = ["hosts": .array(refusals.map(\.json)), "nearest": .array(nearest.map { .string($0.rfc3339) })]
        return error
    }

    private var words: String {
        refusals.prefix(3).map { "\($0.owner): \($0.reasons.map(\.inWords).joined(separator: ", "))" }.joined(separator: "; ")
            + (refusals.count > 3 ? "; and \(refusals.count - 3) more" : "")
    }

    private static func advice(_ nearest: [Instant]) -> String {
        nearest.isEmpty ? "No time near it is free." : "The nearest free times: \(nearest.map(\.rfc3339).joined(separator: ", "))."
    }
}

extension UsherError {
    static func noHold(_ id: String) -> UsherError { UsherError(.notFound, "There is no hold '\(id.prefix(80))'.") }
}

extension Unavailability: JSONChoice {
    /// In a sentence.
    package var inWords: String {
        switch self {
        case .noSchedule: "has no hours"
        case .outsideHours: "is outside of the hours"
        case .notOnGrid: "is between two slots"
        case .notice: "is too soon"
        case .horizon: "is too far ahead"
        case .limit: "has enough meetings by then"
        case .busyBooking: "has another booking"
        case .busyHold: "is held for somebody else"
        case .busyCalendar: "is busy by the calendar"
        case .calendarStale: "has a calendar that has not been heard of for long"
        case .capacity: "has no room left at the provider"
        }
    }
}
