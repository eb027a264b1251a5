import CLibICal
import Foundation
import Synchronization
import UsherCore

/// Calendars as files write them (RFC 5545), read for the times at which their owner is busy.
package enum CalendarText {
    /// A feed of ten years of a busy person has a tenth of this.
    package static let longest = 10_000_000
    private static let mostEvents = 50_000
    /// libical keeps state that all threads share: https://github.com/libical/libical/issues/673
    private static let lock = Mutex(())

    /// What a calendar says of itself.
    package struct Reading: Sendable {
        /// Each occurrence by itself, not in order.
        package var events: [BusyEvent]
        /// How long its publisher wants to be left alone.
        package var refreshInterval: Duration?
        /// What its publisher calls it; empty where it has no name.
        package var name: String
    }

    /// - Parameters:
    ///   - texts: whole calendars, of one or several files.
    ///   - from: events that end after this.
    ///   - to: events that begin before this.
    ///   - timeZone: the owner's.
    ///   - addresses: the owner's, in lower case.
    /// - Throws: an error in words where any of it cannot be read: unknown is not free.
    package static func read(
        _ texts: [[UInt8]], from: Instant, to: Instant, timeZone: String, addresses: [String]
    ) async throws(CalendarProblem) -> Reading {
        let result: Result<Reading, CalendarProblem> = await withCheckedContinuation { continuation in
            // It may take seconds: not on a thread that others wait for.
            DispatchQueue.global(qos: .utility).async {
                continuation.resume(returning: locked(texts, from, to, timeZone, addresses, transparentCounts: false))
            }
        }
        return try result.get()
    }

    /// A calendar of days that are closed, read at once: whoever waits for it has a small file. Events take their time whether they are
    /// transparent or not.
    package static func closures(_ text: [UInt8], from: Instant, to: Instant, timeZone: String) throws(CalendarProblem) -> [BusyEvent] {
        try locked([text], from, to, timeZone, [], transparentCounts: true).get().events
    }

    private static func locked(
        _ texts: [[UInt8]], _ from: Instant, _ to: Instant, _ timeZone: String, _ addresses: [String], transparentCounts: Bool
    ) -> Result<Reading, CalendarProblem> {
        lock.withLock { _ in
            do throws(CalendarUnreadable) {
                return .success(try readNow(texts, from, to, timeZone, addresses, transparentCounts))
            } catch { return .failure(CalendarProblem(error.reason)) }
        }
    }

    private static func readNow(
        _ texts: [[UInt8]], _ from: Instant, _ to: Instant, _ timeZone: String, _ addresses: [String], _ transparentCounts: Bool
    ) throws(CalendarUnreadable) -> Reading {
        icalerror_set_errors_are_fatal(0)
        guard texts.reduce(0, { $0 + $1.count }) <= longest else { throw CalendarUnreadable("it is larger than 10 MB") }
        var reading = Reading(events: [], name: "")
        var (budget, count) = (ExpansionBudget(), 0)
        for text in texts {
            let parsed = try parse(text)
            defer { icalcomponent_free(parsed) }
            for calendar in calendars(parsed) {
                let properties = ComponentProperties(calendar)
                reading.name = reading.name.isEmpty ? properties.named("X-WR-CALNAME") ?? "" : reading.name
                reading.refreshInterval = reading.refreshInterval ?? interval(properties)
                var zones = EventZones(calendar, named: properties.named("X-WR-TIMEZONE"), owner: timeZone)
                let components = children(calendar, ICAL_VEVENT_COMPONENT)
                count += components.count
                guard count <= mostEvents else { throw CalendarUnreadable("it holds more than 50,000 events") }
                var events: [CalendarEvent] = []
                for component in components {
                    guard icalcomponent_count_errors(component) == 0 else { throw CalendarUnreadable("an event breaks the format's rules") }
                    let event = try CalendarEvent(component, &zones, addresses: addresses, transparentCounts: transparentCounts)
                    if let event { events.append(event) }
                }
                // An event without an id belongs to no series.
                let series =
                    Dictionary(grouping: events.filter { !$0.uid.isEmpty }, by: \.uid).values + events.filter(\.uid.isEmpty).map { [$0] }
                for one in series { reading.events += try EventSeries(one).busy(from, to, &budget) }
            }
        }
        return reading
    }

    private static func parse(_ text: [UInt8]) throws(CalendarUnreadable) -> OpaquePointer {
        // A byte order mark is none of libical's.
        let body = text.starts(with: [0xEF, 0xBB, 0xBF]) ? Array(text.dropFirst(3)) : text
        guard body.range(of: "BEGIN:VCALENDAR") != nil, body.range(of: "END:VCALENDAR") != nil, !body.contains(0) else {
            throw CalendarUnreadable("it is no calendar, or a part of one")
        }
        let parsed = (body + [0]).withUnsafeBufferPointer { bytes in
            bytes.withMemoryRebound(to: CChar.self) { icalparser_parse_string($0.baseAddress) }
        }
        guard let parsed else { throw CalendarUnreadable("it breaks the format's rules") }
        return parsed
    }

    /// A file may hold several.
    private static func calendars(_ parsed: OpaquePointer) -> [OpaquePointer] {
        icalcomponent_isa(parsed) == ICAL_VCALENDAR_COMPONENT ? [parsed] : children(parsed, ICAL_VCALENDAR_COMPONENT)
    }

    private static func children(_ parent: OpaquePointer, _ kind: icalcomponent_kind) -> [OpaquePointer] {
        var iterator = icalcomponent_begin_component(parent, kind)
        var found: [OpaquePointer] = []
        while let child = icalcompiter_deref(&iterator) {
            found.append(child)
            icalcompiter_next(&iterator)
        }
        return found
    }

    /// Source: RFC 7986 §5.7; X-PUBLISHED-TTL is Microsoft's.
    private static func interval(_ properties: ComponentProperties) -> Duration? {
        let text = properties.all(ICAL_REFRESHINTERVAL_PROPERTY).first?.value ?? properties.named("X-PUBLISHED-TTL")
        return text.flatMap { EventLength($0) }.map { .days($0.days) + $0.exact }
    }
}

/// Why a calendar cannot be read, in words for its owner.
package struct CalendarProblem: Error, Hashable {
    /// `it is larger than 10 MB`
    package var reason: String
    init(_ reason: String) { self.reason = reason }
}

extension [UInt8] {
    fileprivate func range(of text: String) -> Range<Int>? {
        let wanted = Array(text.utf8)
        guard count >= wanted.count else { return nil }
        return indices.dropLast(wanted.count - 1).lazy.filter {
            self[$0] == wanted[0] && self[$0..<$0 + wanted.count].elementsEqual(wanted)
        }
        .first.map { $0..<$0 + wanted.count }
    }
}
