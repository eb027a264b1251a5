import Foundation
import ProviderSandbox
import TestSupport
import UsherCore
import UsherPipeline
import UsherStore

/// What must hold after any run, whatever went wrong in it.
struct Invariants {
    let zoom: ZoomSandbox
    let mail: MailRecorder
    let store: Store
    let clock: VirtualClock
    let foreign: [Int64]

    func violations(bookings: [String]) async throws -> [String] {
        var found = zoom.violations
        if Set(bookings).count != bookings.count { found.append("a booking was made twice for one idempotency key") }
        var owned: [Int64] = []
        for id in bookings {
            let (booking, rooms, mails) = try await store.read { tx in (try tx.booking(id), try tx.rooms(of: id), try tx.mails(of: id)) }
            guard let booking else {
                found.append("\(id) was accepted and is lost")
                continue
            }
            let keys = Set(rooms.map(\.key))
            let live = zoom.meetings.filter { meeting in keys.contains { meeting.agenda.hasPrefix("[usher:\($0)]") } }
            owned += live.map(\.id)
            let violations = roomViolations(booking, live) + mailViolations(booking, mails)
            guard !violations.isEmpty else { continue }
            let story = try await store.read { try $0.timeline(of: id) }.map { "\($0.at.rfc3339) \($0.event) \($0.detail)" }
            found += violations.map { "\(id): \($0)\n  " + (story + rooms.map { "\($0)" }).joined(separator: "\n  ") }
        }
        let strays = zoom.meetings.map(\.id).filter { !owned.contains($0) && !foreign.contains($0) }
        if !strays.isEmpty { found.append("rooms that belong to no booking: \(strays)") }
        for id in foreign where !zoom.meetings.contains(where: { $0.id == id }) { found.append("the foreign room \(id) was touched") }
        if zoom.ledger.contains(where: { foreign.contains($0.meetingID) }) { found.append("a foreign room stands in the ledger") }
        return found
    }

    private func roomViolations(_ booking: Booking, _ live: [ZoomSandbox.Meeting]) -> [String] {
        guard booking.status == .confirmed, booking.meeting.status != .onJoin else {
            return live.isEmpty ? [] : ["\(booking.status.rawValue), and yet has rooms: \(live.map(\.id))"]
        }
        switch booking.meeting.status {
        case .ready where booking.meeting.module == "zoom-s2s":
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
