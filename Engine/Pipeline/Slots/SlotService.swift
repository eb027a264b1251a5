import Foundation
import UsherAvailability
import UsherCore
import UsherStore

/// Says what can be booked, and why not.
package struct SlotService: Sendable {
    let context: EngineContext

    package init(_ context: EngineContext) { self.context = context }

    /// What is asked for, as written.
    package struct Question: Sendable {
        package var meetingType: String
        /// `nil` for the hosts of the meeting type.
        package var owner: String?
        package var duration: String?

        /// Takes each property as it is.
        package init(meetingType: String, owner: String? = nil, duration: String? = nil) {
            self.meetingType = meetingType
            self.owner = owner
            self.duration = duration
        }
    }

    /// A slot with its end.
    package struct Slot: Hashable, Sendable {
        package var start: Instant
        package var end: Instant
        /// How many hosts are free.
        package var free: Int
        /// Written with this zone's offset.
        package var timeZone: TimeZone?
    }

    /// What can be booked, and how much is known of those who host it.
    package struct Offer: Sendable {
        /// In order.
        package var slots: [Slot]
        /// Of the hosts who have connected calendars.
        package var calendars: [OwnerCalendars]
    }

    /// The slots of one owner or of a pool that begin in a stretch of time.
    /// - Throws: ``ErrorCode/notFound``, ``ErrorCode/validationFailed``.
    package func slots(_ question: Question, from: Instant, to: Instant, timeZone: TimeZone?) async throws -> Offer {
        let (catalog, now) = (context.catalog.current, context.now)
        let asked = try parts(question, catalog)
        let range = Interval(max(from, now), to)
        guard !range.isEmpty else { return Offer(slots: [], calendars: []) }
        return try await context.store.read { tx in
            var reader = HostReader(context, catalog, asked.type, asked.rules, now: now, in: range)
            let hosts = try owners(question, asked.type, catalog, tx)
            let free = try hosts.map { try reader.availability(of: $0, length: asked.length, tx).slots(in: range) }
            let slots = Pool.union(free).map { Slot(start: $0.start, end: $0.start + asked.length, free: $0.free, timeZone: timeZone) }
            return Offer(slots: slots, calendars: try hosts.compactMap { try tx.calendarSummary(of: $0.id, catalog.busy, now: now) })
        }
    }

    /// Host by host, why a start is no slot; no reasons where it is one.
    package func explain(_ question: Question, start: Instant) async throws -> [HostRefusal] {
        let (catalog, now) = (context.catalog.current, context.now)
        let asked = try parts(question, catalog)
        return try await context.store.read { tx in
            let decision = SlotDecision(
                context: context, catalog: catalog, type: asked.type, rules: asked.rules, now: now, length: asked.length)
            return try owners(question, asked.type, catalog, tx).map { owner in
                HostRefusal(owner: owner.id, reasons: try decision.reasons(start, owner, tx))
            }
        }
    }

    /// Where a booking can be moved: the slots of its own host, without itself; `nil` where its meeting type has none.
    package func moves(of booking: Booking, from: Instant, to: Instant) async throws -> [Instant]? {
        let (catalog, now) = (context.catalog.current, context.now)
        guard let type = catalog.meetingType(booking.terms.type.id), let rules = type.slots else { return nil }
        let range = Interval(max(from, now), to)
        guard !range.isEmpty else { return [] }
        return try await context.store.read { tx in
            guard let owner = try tx.owner(booking.terms.owner.id)?.owner else { return [] }
            var reader = HostReader(context, catalog, type, rules, provider: booking.meeting.provider, now: now, in: range)
            let host = try reader.availability(of: owner, length: booking.duration, except: .init(booking: booking.id), tx)
            return host.slots(in: range).filter { $0 != booking.start }
        }
    }

    private func parts(_ question: Question, _ catalog: Catalog) throws -> (type: MeetingType, rules: SlotRules, length: Duration) {
        guard let type = catalog.meetingType(question.meetingType) else {
            let name = question.meetingType
            throw UsherError(
                .notFound, "No meeting type is called '\(name.prefix(80))'.\(didYouMean(name, catalog.meetingTypes.map(\.id)))")
        }
        guard let rules = type.slots else {
            throw UsherError(
                .validationFailed, "'\(type.id)' has no slots: it can be booked at any time. Give it 'slots:' in meeting-types.yaml.",
                findings: [.init("/meetingType", "has no slots")])
        }
        guard let length = question.duration.map(Duration.init(written:)) ?? type.durations.first, type.durations.contains(length) else {
            throw UsherError(
                .validationFailed, "The duration is none of this meeting type's.",
                findings: [.init("/duration", "must be one of: \(type.durations.map(\.inWords).joined(separator: ", "))")])
        }
        return (type, rules, length)
    }

    private func owners(_ question: Question, _ type: MeetingType, _ catalog: Catalog, _ tx: Tx) throws -> [Owner] {
        if let id = question.owner {
            guard let stored = try tx.owner(id, in: catalog), stored.isActive else {
                let known = try tx.owners(in: catalog).filter(\.isActive).map(\.owner.id)
                throw UsherError(.notFound, "No owner is called '\(id.prefix(80))'.\(didYouMean(id, known))")
            }
            return [stored.owner]
        }
        guard let hosts = type.hosts else {
            throw UsherError(
                .validationFailed, "'\(type.id)' has no hosts of its own: name an owner.", findings: [.init("/owner", "is required")])
        }
        return try hosts.compactMap { try tx.owner($0.owner, in: catalog) }.filter(\.isActive).map(\.owner)
    }
}

extension SlotService.Slot: JSONObject {
    /// As generated clients know it.
    package static let schemaName = "Slot"
    /// When, and with how many.
    package static let fields: [JSONField<SlotService.Slot>] = [
        .init("start", "When a meeting may begin.", as: Instant.self) { $0.start.rfc3339(in: $0.timeZone) },
        .init("end", "When it would end.", as: Instant.self) { $0.end.rfc3339(in: $0.timeZone) },
        .init("free", "How many hosts are free.") { Int64($0.free) },
    ]
}

extension HostRefusal: JSONObject {
    /// As generated clients know it.
    package static let schemaName = "HostAvailability"
    /// Who, and why not.
    package static let fields: [JSONField<HostRefusal>] = [
        .init("owner", "The host's id.") { $0.owner }, .init("reasons", "Empty where the owner can be booked.") { $0.reasons },
    ]
}
