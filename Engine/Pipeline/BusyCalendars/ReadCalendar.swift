import Logging
import UsherAvailability
import UsherCore
import UsherStore

/// Reads when a calendar is busy, again and again: nobody who looks for a slot waits for it.
///
/// What is read takes the place of what was known, whole and in one commit. Where a source is known to answer that events are gone which
/// are not, their times stay busy until a second look has not found them either.
struct ReadCalendar {
    private let context: EngineContext
    private let reader: BusyReader

    /// What a source says is gone is looked for again after this.
    private static let secondLook = Duration.minutes(3)
    /// Beyond the horizon: bookings are long, and weeks and months are counted whole.
    private static let margin: Int64 = 35
    private static let shortest: Int64 = 90
    private static let longest: Int64 = 1_100

    init(_ context: EngineContext) {
        self.context = context
        reader = BusyReader(context: context)
    }

    private var rules: BusyRules { context.catalog.current.busy }

    func prepare(_ id: String, _ claim: Claim, _ step: StepTransaction) throws -> Effect? {
        guard let calendar = try step.tx.calendar(id), let owner = try step.tx.owner(calendar.ownerID), owner.isActive,
            let source = reader.source(calendar.kind)
        else { return try step.finish(claim) }
        let (deadline, now) = (step.deadline, step.now)
        let question = try question(calendar, owner.owner, step)
        return Effect(provider: claim.service, about: ["calendar": "\(id)"]) { [reader] in
            do throws(ProviderError) {
                let call = try await reader.call(calendar, deadline: deadline)
                guard calendar.remoteID != nil else { return split(calendar, try await source.calendars(call)) }
                let answer = try await source.busy(question, call)
                return { step in try record(answer, question, of: calendar, source.descriptor, readAt: now, step) }
            } catch {
                return { step in try fail(error, calendar, claim, step) }
            }
        }
    }

    private func question(_ calendar: StoredCalendar, _ owner: Owner, _ step: StepTransaction) throws -> BusyQuestion {
        // Whole days, so that a question stays the same for one.
        let from = Instant(seconds: (step.now.seconds / 86_400 - 1) * 86_400)
        let horizons = context.catalog.current.meetingTypes.compactMap { $0.slots.map { Int64($0.horizon) } }
        let to = from + .days(min(max((horizons.max() ?? 0) + Self.margin, Self.shortest), Self.longest))
        let isSame = calendar.from == from && calendar.to == to
        let isSettled = try !step.tx.busyTimes(of: calendar.id).contains { $0.goneSince != nil }
        let account = calendar.account.contains("@") ? [calendar.account.lowercased()] : []
        var question = BusyQuestion(
            calendar: calendar.remoteID ?? "", from: from, to: to, timeZone: owner.timeZone,
            addresses: [owner.email.lowercased()] + account)
        let asked = Self.asked(question)
        if isSame, isSettled, let mark = calendar.mark, mark.hasPrefix(asked) { question.mark = String(mark.dropFirst(asked.count)) }
        return question
    }

    /// Whose events were asked for, and in which zone: a mark is for the same question alone.
    private static func asked(_ question: BusyQuestion) -> String {
        "\(question.timeZone) \(question.addresses.joined(separator: " "))\n"
    }

    /// An account whose calendars were not known yet: each of them is one.
    private func split(_ calendar: StoredCalendar, _ found: [FoundCalendar]) -> OutcomeWriter {
        { step in
            _ = try step.tx.lockOwner(calendar.ownerID)
            guard try step.tx.removeCalendar(calendar.id) else { return .lookAgain }
            try CalendarService(context).add(found, like: calendar, isWaitedFor: false, step.tx, now: step.now)
            return .lookAgain
        }
    }

    // MARK: Outcomes

    private func record(
        _ answer: BusyAnswer, _ question: BusyQuestion, of calendar: StoredCalendar, _ source: BusySourceDescriptor, readAt: Instant,
        _ step: StepTransaction
    ) throws -> StepResult {
        // Bookings are decided under the owner's lock, with what is known then.
        _ = try step.tx.lockOwner(calendar.ownerID)
        guard var present = try step.tx.calendar(calendar.id), (present.asOf ?? .epoch) <= readAt else { return .lookAgain }
        var (wish, isOpen): (Duration?, Bool) = (nil, false)
        switch answer {
        case .unchanged(let mark): present.mark = Self.asked(question) + mark
        case .events(let events, let mark, let next):
            let times = try Self.merged(events, present, source, readAt, step)
            try step.tx.replaceBusyTimes(of: calendar.id, times)
            (present.mark, wish) = (mark.map { Self.asked(question) + $0 }, next)
            isOpen = times.contains { $0.goneSince != nil }
        }
        (present.asOf, present.from, present.to) = (readAt, question.from, question.to)
        try step.tx.markHeard(present)
        if present.problem != nil { try step.tx.removeNotice(.calendar(calendar.id)) }
        // Often enough to stay known, and no more often than the publisher wishes.
        let pause = isOpen ? Self.secondLook : min(max(wish ?? .zero, source.interval), max(rules.maxAge / 2, .minutes(1)))
        return .sleep(until: step.now + pause)
    }

    /// What the calendar says now; and what it does not say any more, as long as that is not certain.
    private static func merged(
        _ events: [BusyEvent], _ calendar: StoredCalendar, _ source: BusySourceDescriptor, _ readAt: Instant, _ step: StepTransaction
    ) throws -> [StoredBusyTime] {
        let own = try ownEvents(events, step.tx)
        let busy = events.filter { !own.contains($0.uid) }.map { Interval($0.start, $0.end) }.united
        var times = busy.map { StoredBusyTime(start: $0.start, end: $0.end) }
        guard source.confirmsRemovals else { return times }
        for before in try step.tx.busyTimes(of: calendar.id) {
            if let since = before.goneSince, since + secondLook <= readAt { continue }
            for gone in [Interval(before.start, before.end)].subtracting(busy) {
                times.append(StoredBusyTime(start: gone.start, end: gone.end, goneSince: before.goneSince ?? readAt))
            }
        }
        return times.sorted { $0.start < $1.start }
    }

    /// Of the events' ids, those that this system gave: to a booking (as the invitation's UID), or to what it wrote into a calendar.
    private static func ownEvents(_ events: [BusyEvent], _ tx: Tx) throws -> Set<String> {
        try Set(events.map(\.uid)).filter { uid in
            let id = String(uid.prefix { $0 != "@" })
            let mayBeOurs =
                id.hasPrefix("bk_") || (RoomKey.lengths.contains(id.utf8.count) && id.allSatisfy { $0.isLowercase || $0.isNumber })
            return try mayBeOurs && tx.isOwnEvent(id)
        }
    }

    private func fail(_ error: ProviderError, _ calendar: StoredCalendar, _ claim: Claim, _ step: StepTransaction) throws -> StepResult {
        guard var present = try step.tx.calendar(calendar.id) else { return .lookAgain }
        context.logger.warning(
            "a calendar could not be read",
            metadata: ["calendar": "\(calendar.id)", "kind": "\(calendar.kind)", "reason": "\(error.message)", "cause": "\(error.cause)"])
        present.problem = error.problem
        let needsOwner = error.retry == .never || present.isTooOld(rules, now: step.now)
        if needsOwner, present.counts, !present.isTold {
            present.isTold = true
            try context.announcer.tell(.calendarNeedsAttention, about: "\(calendar.ownerID)/\(calendar.id)", step.tx) { _ in
                CalendarEvent(calendar: ShownCalendar(present, rules, now: step.now)).json
            }
            try step.followUp(.ownerNeeded(.calendar(calendar.id)))
        }
        try step.tx.markFailed(present)
        if case .at(let time) = error.retry { return .rest(until: max(time, step.now + .seconds(30))) }
        // A person may mend it, or the service comes back.
        let policy = error.retry == .never ? RetryPolicy.blocked : RetryPolicy.busyCalendar
        return .rest(until: step.now + policy.delay(afterFailures: claim.attempt + 1, context.environment))
    }
}

/// What webhooks are told of a calendar.
struct CalendarEvent: JSONObject {
    var calendar: ShownCalendar

    static let schemaName = "CalendarEvent"
    static let fields: [JSONField<CalendarEvent>] = [
        .group("owner", "Whose it is.", [.init("id", "Of the owner.") { $0.calendar.calendar.ownerID }]),
        .init("calendar", "As it is now.") { $0.calendar },
    ]
}
