import Foundation
import UsherAvailability
import UsherCore
import UsherStore

/// Puts the question whether an owner is free together, from the catalogue and from what the database holds. Page, API and the
/// transaction that books ask through this.
struct HostReader {
    /// What is left out: the booking that is moved, the hold that is confirmed.
    struct Exempt {
        var booking: String?
        var hold: String?
    }

    private let catalog: Catalog
    private let capacity: HostCapacity
    private let closures: Closures
    private let type: MeetingType
    private let rules: SlotRules
    private let now: Instant
    /// Where starts are asked for.
    private let range: Interval
    /// Schedules are shared, and so are their hours.
    private var hours: [HoursKey: OpenHours] = [:]
    private var days: [String: LocalDays] = [:]

    private struct HoursKey: Hashable {
        var schedule: String
        var zone: String
    }

    /// - Parameter provider: where the meeting would be held; `nil` for what the meeting type and its owner say.
    init(
        _ context: EngineContext, _ catalog: Catalog, _ type: MeetingType, _ rules: SlotRules, provider: String? = nil, now: Instant,
        in range: Interval
    ) {
        capacity = HostCapacity(context: context, catalog: catalog, type: type, now: now, provider: provider)
        closures = context.closures
        self.catalog = catalog
        self.type = type
        self.rules = rules
        self.now = now
        self.range = range
    }

    /// - Parameter anyTime: only what no caller passes over is asked: other bookings and holds, without free time around them.
    mutating func availability(
        of owner: Owner, length: Duration, except exempt: Exempt = Exempt(), anyTime: Bool = false, _ tx: Tx
    ) throws -> HostAvailability {
        HostAvailability(try question(of: owner, length: length, except: exempt, anyTime: anyTime, tx), length: length, in: range)
    }

    /// All that decides; parameters as for ``availability(of:length:except:anyTime:_:)``.
    mutating func question(
        of owner: Owner, length: Duration, except exempt: Exempt = Exempt(), anyTime: Bool = false, _ tx: Tx
    ) throws -> HostQuestion {
        let days = localDays(owner.timeZone)
        let read = reading(owner, days)
        let longest = Tx.longestBooking
        let bookings = try tx.engagements(of: owner.id, from: read.start - longest, to: read.end)
            .filter { $0.bookingID != exempt.booking && $0.end > read.start }
        let holds = try tx.holds(of: owner.id, from: read.start - longest, to: read.end, now: now)
            .filter { $0.id != exempt.hold && $0.end > read.start }
        func isBusy(_ other: String) -> Bool { !(type.overlapAllowed && other == type.id) }
        func buffer(_ buffer: SlotBuffer?) -> SlotBuffer { anyTime ? SlotBuffer() : buffer ?? SlotBuffer() }
        let busy =
            bookings.filter { isBusy($0.type.id) }.map {
                Busy(Interval($0.start, $0.end), .booking(buffer($0.type.slots?.buffer)))
            } + holds.filter { isBusy($0.type.id) }.map { Busy(Interval($0.start, $0.end), .hold(buffer($0.type.slots?.buffer))) }
        let calendars = anyTime ? [] : try calendarTimes(owner, read, tx)
        let full = anyTime ? [] : try capacity.fullTimes(owner, in: read, except: exempt, tx)
        let meetings =
            bookings.map { (type: $0.type.id, meeting: CountedMeetings.Meeting(start: $0.start, length: $0.end - $0.start)) }
            + holds.map { (type: $0.type.id, meeting: CountedMeetings.Meeting(start: $0.start, length: $0.end - $0.start)) }
        var hours = openHours(of: owner)
        hours?.close(try daysOff(owner, days, tx))
        return HostQuestion(
            hours: hours, days: days, step: rules.step ?? type.durations.min() ?? length, buffer: buffer(rules.buffer),
            earliest: now + rules.notice, horizonEnd: HostQuestion.horizonEnd(rules.horizon, from: now, days),
            busy: busy + calendars + full.map { Busy($0, .capacity) },
            counted: [
                CountedMeetings(rules.limits, meetings.filter { $0.type == type.id }.map(\.meeting)),
                CountedMeetings(owner.limits ?? SlotLimits(), meetings.map(\.meeting)),
            ])
    }

    /// What the owner's calendars say, and what they do not say any more.
    private func calendarTimes(_ owner: Owner, _ read: Interval, _ tx: Tx) throws -> [Busy] {
        let calendars = try tx.countingCalendars(of: owner.id)
        guard !calendars.isEmpty else { return [] }
        let known = try tx.calendarBusy(of: owner.id, from: read.start, to: read.end).map { Busy(Interval($0.start, $0.end), .calendar) }
        return known
            + calendars.compactMap { calendar in
                guard let asOf = calendar.asOf else { return Busy(read, .unknown) }
                guard now - asOf <= catalog.busy.maxAge || catalog.busy.whenStale == .open else { return Busy(read, .unknown) }
                return calendar.to < read.end ? Busy(Interval(calendar.to, read.end), .unknown) : nil
            }
    }

    /// Whole days of the owner's zone.
    private func daysOff(_ owner: Owner, _ days: LocalDays, _ tx: Tx) throws -> [Interval] {
        let (first, last) = (days.date(range.start) - 1, days.date(range.end) + 2)
        return try tx.timeOff(of: owner.id, from: first).filter { $0.first <= last }.map {
            days.interval(max($0.first, first), to: min($0.last + 1, last))
        }
    }

    /// What is to be read of an owner's bookings: the range with the widest buffers, and whole days, weeks or months where limits count.
    private func reading(_ owner: Owner, _ days: LocalDays) -> Interval {
        var read = Interval(range.start - SlotRules.longestBuffer, range.end + Tx.longestBooking + SlotRules.longestBuffer)
        let limits = [rules.limits, owner.limits ?? SlotLimits()]
        let (first, last) = (days.date(range.start), days.date(range.end))
        func widen(_ from: CalendarDate, _ to: CalendarDate) {
            let whole = days.interval(from, to: to)
            read = Interval(min(read.start, whole.start), max(read.end, whole.end))
        }
        if limits.contains(where: { $0.month != nil || $0.monthMinutes != nil }) { widen(first.firstOfMonth, last.firstOfNextMonth) }
        if limits.contains(where: { $0.week != nil || $0.weekMinutes != nil }) { widen(first.monday, last.monday + 7) }
        if limits.contains(where: { $0.day != nil || $0.dayMinutes != nil }) { widen(first, last + 1) }
        return read
    }

    /// The hours of the owner, and of the type where it names a schedule: the intersection of both; `nil` where there is neither, or where
    /// one that is named does not stand in the catalogue any more.
    private mutating func openHours(of owner: Owner) -> OpenHours? {
        let names = [owner.schedule, rules.schedule].compactMap(\.self)
        let named = names.compactMap(catalog.schedule)
        let all = named.map { openHours($0, owner) }
        guard named.count == names.count, let first = all.first else { return nil }
        return named.count == 2 && named[0] != named[1] ? first.intersection(all[1]) : first
    }

    private mutating func openHours(_ schedule: Schedule, _ owner: Owner) -> OpenHours {
        let zone = schedule.timeZone ?? owner.timeZone
        let key = HoursKey(schedule: schedule.name, zone: zone)
        if let known = hours[key] { return known }
        let found = OpenHours(
            schedule, localDays(zone), in: range, closures: closures.intervals(schedule, zone: zone, now: now))
        hours[key] = found
        return found
    }

    private mutating func localDays(_ zone: String) -> LocalDays {
        if let known = days[zone] { return known }
        let found = LocalDays(TimeZone(iana: zone) ?? .gmt, covering: range)
        days[zone] = found
        return found
    }
}
