import Foundation
import UsherAvailability
import UsherCore
import UsherStore

/// A week of an owner's: their hours, what takes them, and where a meeting type can be booked or why it cannot.
package struct OwnerWeek: Sendable {
    /// A day of the owner's zone, from midnight to midnight.
    package struct Day: Sendable {
        package var date: CalendarDate
        package var interval: Interval
    }
    /// A time that is taken, and by what.
    package struct Taken: Sendable {
        package var interval: Interval
        package var by: Unavailability
        /// Of a booking or a hold, the meeting type's id; else empty.
        package var type = ""
    }

    /// From Monday on.
    package var days: [Day]
    /// The owner's hours, without what is closed.
    package var open: [Interval]
    /// Bookings, holds, calendars, and the provider's account.
    package var taken: [Taken]
    /// What is asked about; `nil` where the owner has no meeting type with slots.
    package var type: MeetingType?
    /// The meeting types that the owner can be asked about.
    package var types: [MeetingType]
    /// In order, without a gap; empty where there is no ``type``.
    package var starts: [HostAvailability.Stretch]
    /// Starts that can be booked.
    package var slots: [Instant]
}

extension SlotService {
    /// The week of an owner that holds a date.
    /// - Parameter type: an id; the first one of the owner's with slots where it is none of these.
    package func week(of owner: Owner, with date: CalendarDate, type: String?) async throws -> OwnerWeek {
        let (catalog, now) = (context.catalog.current, context.now)
        let types = catalog.meetingTypes.filter { type in
            type.slots != nil && type.hosts.map { hosts in hosts.contains { $0.owner == owner.id } } ?? true
        }
        let asked = types.first { $0.id == type } ?? types.first
        let monday = date.monday
        let zone = TimeZone(iana: owner.timeZone) ?? .gmt
        let days = LocalDays(zone, covering: Interval(monday.midnight.asUTC, monday.midnight.asUTC + .days(8)))
        let range = days.interval(monday, to: monday + 7)
        let ofDays = (0..<7).map { OwnerWeek.Day(date: monday + $0, interval: days.interval(monday + $0, to: monday + $0 + 1)) }
        return try await context.store.read { tx in
            // Hours and what is taken are shown without a type as well.
            let length = asked?.durations.first ?? .minutes(30)
            let type = asked ?? MeetingType(id: "", title: "", durations: [length])
            var reader = HostReader(context, catalog, type, type.slots ?? SlotRules(), now: now, in: range)
            let question = try reader.question(of: owner, length: length, tx)
            let availability = asked.map { _ in HostAvailability(question, length: length, in: range) }
            return OwnerWeek(
                days: ofDays, open: question.hours.map { $0.windows.map(\.interval).subtracting($0.closed) } ?? [],
                taken: try taken(owner, range, question, now, tx), type: asked, types: types,
                starts: availability?.stretches(in: range) ?? [], slots: availability?.slots(in: range) ?? [])
        }
    }

    /// All that stands in a week, also what a meeting type stands beside.
    private func taken(
        _ owner: Owner, _ range: Interval, _ question: HostQuestion, _ now: Instant, _ tx: Tx
    ) throws -> [OwnerWeek.Taken] {
        let from = range.start - Tx.longestBooking
        let bookings = try tx.engagements(of: owner.id, from: from, to: range.end).map {
            OwnerWeek.Taken(interval: Interval($0.start, $0.end), by: .busyBooking, type: $0.type.id)
        }
        let holds = try tx.holds(of: owner.id, from: from, to: range.end, now: now).map {
            OwnerWeek.Taken(interval: Interval($0.start, $0.end), by: .busyHold, type: $0.type.id)
        }
        let others = question.busy.filter { ![.busyBooking, .busyHold].contains($0.reason) }.map {
            OwnerWeek.Taken(interval: $0.interval, by: $0.reason)
        }
        return (bookings + holds + others).filter { $0.interval.overlaps(range) }
    }
}
