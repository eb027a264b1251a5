import Foundation
import ProviderSandbox
import TestSupport
import UsherCore
import UsherPipeline
import UsherStore

/// What must hold after any run, whatever went wrong in it.
struct Invariants {
    let zoom: ZoomSandbox
    let google: GoogleSandbox
    let microsoft: MicrosoftSandbox
    let mail: MailRecorder
    let store: Store
    let clock: VirtualClock
    let foreign: [Int64]
    /// Whose rooms somebody has taken away at the provider: they have one or none.
    let drifted: Set<String>

    func violations(bookings: [String]) async throws -> [String] {
        var found = zoom.violations + google.violations
        if Set(bookings).count != bookings.count { found.append("a booking was made twice for one idempotency key") }
        var owned: [Int64] = []
        var elsewhere: Set<String> = []
        var kept: [Booking] = []
        for id in bookings {
            let (booking, rooms, mails) = try await store.read { tx in (try tx.booking(id), try tx.rooms(of: id), try tx.mails(of: id)) }
            guard let booking else {
                found.append("\(id) was accepted and is lost")
                continue
            }
            let keys = Set(rooms.map(\.key))
            let live = zoom.meetings.filter { meeting in keys.contains { meeting.agenda.hasPrefix("[usher:\($0)]") } }
            owned += live.map(\.id)
            let entry = try await store.read { try $0.calendarRecord(of: id)?.eventID }
            let foreignRooms = roomViolationsElsewhere(booking, rooms, entry: entry)
            elsewhere.formUnion(foreignRooms.owned)
            if booking.status == .confirmed { kept.append(booking) }
            let violations = roomViolations(booking, live) + foreignRooms.found + mailViolations(booking, mails)
            guard !violations.isEmpty else { continue }
            let story = try await store.read { try $0.timeline(of: id) }.map { "\($0.at.rfc3339) \($0.event) \($0.detail)" }
            found += violations.map { "\(id): \($0)\n  " + (story + rooms.map { "\($0)" }).joined(separator: "\n  ") }
        }
        let strays = zoom.meetings.map(\.id).filter { !owned.contains($0) && !foreign.contains($0) }
        if !strays.isEmpty { found.append("rooms that belong to no booking: \(strays)") }
        for id in Set(google.live + microsoft.meetings.map(\.id)).subtracting(elsewhere) { found.append("\(id) belongs to no booking") }
        found += overlaps(kept)
        for id in foreign where !zoom.meetings.contains(where: { $0.id == id }) { found.append("the foreign room \(id) was touched") }
        if zoom.ledger.contains(where: { foreign.contains($0.meetingID) }) { found.append("a foreign room stands in the ledger") }
        return found
    }

    private func roomViolations(_ booking: Booking, _ live: [ZoomSandbox.Meeting]) -> [String] {
        guard booking.status == .confirmed, booking.meeting.status != .onJoin else {
            return live.isEmpty ? [] : ["\(booking.status.rawValue), and yet has rooms: \(live.map(\.id))"]
        }
        if drifted.contains(booking.id) { return live.count > 1 ? ["has \(live.count) rooms at Zoom"] : [] }
        switch booking.meeting.status {
        case .ready where booking.meeting.module == "zoom-s2s" || booking.meeting.module == "zoom":
            guard live.count == 1, let room = live.first else { return ["ready with \(live.count) rooms at Zoom"] }
            var found: [String] = []
            if String(room.id) != booking.meeting.room?.meetingID { found.append("shows another room than it has") }
            let isOver = booking.start <= clock.now
            if room.start != booking.start, !isOver {
                found.append("the room is at \(room.start.rfc3339), the booking at \(booking.start.rfc3339)")
            }
            return found
        case .ready: return live.isEmpty ? [] : ["held at \(booking.meeting.provider), and yet has rooms at Zoom"]
        case .failed
        where booking.meeting.problem?.code == .unavailable || booking.meeting.problem?.code == .dailyLimit
            || booking.meeting.problem?.code == .providerRateLimited || booking.meeting.problem?.code == .reauthorize:
            return live.isEmpty ? [] : ["given up, and yet has rooms"]
        default: return ["is \(booking.meeting.status.rawValue) after everything has healed: \(booking.meeting.problem?.message ?? "")"]
        }
    }

    /// What stands at Google and Microsoft for a booking, and what is wrong with it.
    private func roomViolationsElsewhere(_ booking: Booking, _ rooms: [RoomRecord], entry: String?) -> (owned: Set<String>, found: [String])
    {
        let standing = Set(google.live + microsoft.meetings.map(\.id))
        let theirs = Set(rooms.filter { $0.module == "google-meet" || $0.module == "microsoft-teams" }.map(\.roomID)).intersection(standing)
        let entries = entry.map { standing.contains($0) ? [$0] : [] } ?? []
        let owned = theirs.union(entries)
        let isOver = booking.end <= clock.now
        if isOver || drifted.contains(booking.id) { return (owned, []) }
        guard booking.status == .confirmed else {
            return (owned, owned.isEmpty ? [] : ["cancelled, and yet stands at a provider: \(owned.sorted())"])
        }
        let isElsewhere = booking.meeting.module == "google-meet" || booking.meeting.module == "microsoft-teams"
        guard isElsewhere, booking.meeting.status == .ready, let id = rooms.last(where: { $0.provider == booking.meeting.provider })?.roomID
        else {
            return (owned, theirs.isEmpty ? [] : ["has rooms that it does not show: \(theirs.sorted())"])
        }
        var found = theirs == [id] ? [] : ["shows the room \(id) and has \(theirs.sorted())"]
        let start = google.start(of: id) ?? microsoft.meetings.first { $0.id == id }?.start ?? ""
        if !start.isEmpty, !start.hasPrefix(booking.start.rfc3339.prefix(16)), booking.start > clock.now {
            found.append("the room is at \(start), the booking at \(booking.start.rfc3339)")
        }
        return (owned, found)
    }

    private func overlaps(_ bookings: [Booking]) -> [String] {
        let strict = bookings.filter { !$0.terms.type.overlapAllowed }.sorted {
            ($0.terms.owner.id, $0.start) < ($1.terms.owner.id, $1.start)
        }
        return zip(strict, strict.dropFirst()).filter { $0.terms.owner.id == $1.terms.owner.id && $1.start < $0.end }
            .map { "\($0.id) and \($1.id) overlap" }
    }

    private func mailViolations(_ booking: Booking, _ mails: [OutboxMail]) -> [String] {
        var found: [String] = []
        for reader in booking.readers {
            let theirs = mails.filter { $0.reader == reader && $0.isNews }
            let reminders = mails.filter { $0.reader == reader && !$0.isNews && $0.reachedReader }
            if Set(reminders.map(\.about)).count != reminders.count { found.append("\(reader.text) was reminded twice of one time") }
            let newest = theirs.filter { $0.revision == booking.revision }
            if booking.status == .confirmed, newest.count != 1 || newest[0].state != .sent {
                found.append(
                    "\(reader.text) was not told of revision \(booking.revision): \(theirs.map { "\($0.kind) \($0.revision) \($0.state)" })"
                )
            }
            if booking.status == .cancelled,
                theirs.contains(where: { $0.reachedReader && $0.kind != .cancellation })
                    != newest.contains(where: { $0.state == .sent && $0.kind == .cancellation })
            {
                found.append("\(reader.text) was told of a cancellation without knowing of a booking, or the other way round")
            }
            if mails.contains(where: { $0.reader == reader && ($0.state == .queued || $0.state == .sending) }) {
                found.append("a mail to \(reader.text) is still under way")
            }
            if theirs.filter({ $0.kind == .confirmation && $0.reachedReader }).count > 1 {
                found.append("\(reader.text) got two confirmations")
            }
        }
        for mail in mails {
            let copies = self.mail.taken.filter { $0.id == mail.id }
            if Set(copies.map(\.bytes)).count > 1 { found.append("copies of one mail differ") }
            if mail.state == .sent, copies.isEmpty { found.append("a mail counts as sent and never was") }
            if !copies.isEmpty, !mail.reachedReader { found.append("a mail was delivered, and nobody knows") }
        }
        return found
    }
}
