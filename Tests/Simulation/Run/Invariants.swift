import Foundation
import ProviderSandbox
import TestSupport
import TestValues
import UsherCore
import UsherPipeline
import UsherStore
import UsherVault

/// What must hold after any run, whatever went wrong in it.
struct Invariants {
    let zoom: ZoomSandbox
    let google: GoogleSandbox
    let microsoft: MicrosoftSandbox
    let mail: MailRecorder
    let store: Store
    let vault: Vault
    let clock: VirtualClock
    let foreign: [Int64]
    /// Whose rooms somebody has taken away or moved at the provider, unknown to the engine: they have one or none.
    let drifted: Set<String>
    /// Whose rooms somebody has moved at the provider, where the booking stays as it is.
    let moved: Set<String>
    /// Accounts that were disconnected at one time or another: what stands there may be out of reach.
    let disconnected: Set<SimulatedRun.Account>
    let endedGrants: EndedGrants
    /// Bookings whose cancellation was answered.
    let cancelled: Set<String>
    /// What people asked to be moved.
    let moves: Moves
    /// Mails that were refused for good, by outbox id.
    let refused: Set<String>
    let hasDailyLimit: Bool

    func violations(bookings: [String]) async throws -> [String] {
        var found = zoom.violations + google.violations
        if Set(bookings).count != bookings.count { found.append("a booking was made twice for one idempotency key") }
        let mailboxes = Mailboxes(taken: mail.taken)
        var owned: [Int64] = []
        var elsewhere: Set<String> = []
        var outbox: Set<String> = []
        for id in bookings {
            let (booking, rooms, mails) = try await store.read { tx in (try tx.booking(id), try tx.rooms(of: id), try tx.mails(of: id)) }
            guard let booking else {
                found.append("\(id) was accepted and is lost")
                continue
            }
            if cancelled.contains(id), booking.status != .cancelled { found.append("\(id) was cancelled, and is \(booking.status)") }
            outbox.formUnion(mails.map(\.id))
            found += moves.violations(booking)
            let keys = Set(rooms.map(\.key))
            let live = zoom.meetings.filter { meeting in keys.contains { meeting.agenda.hasPrefix("[usher:\($0)]") } }
            owned += live.map(\.id)
            let entry = try await store.read { try $0.calendarRecord(of: id)?.eventID }
            let foreignRooms = roomViolationsElsewhere(booking, rooms, entry: entry)
            elsewhere.formUnion(foreignRooms.owned)
            let violations =
                roomViolations(booking, rooms, live) + foreignRooms.found + mailViolations(booking, mails)
                + mailboxes.violations(booking, mails, refused: refused) + (try await noticeViolations(booking, mails))
                + (try await calendarViolations(booking, entry: entry))
            guard !violations.isEmpty else { continue }
            let story = try await store.read { try $0.timeline(of: id) }.map { "\($0.at.rfc3339) \($0.event) \($0.detail)" }
            let event = try await store.read { try $0.calendarRecord(of: id) }.map { ["\($0)"] } ?? []
            found += violations.map { "\(id): \($0)\n  " + (story + rooms.map { "\($0)" } + event).joined(separator: "\n  ") }
        }
        let strays = zoom.meetings.map(\.id).filter { !owned.contains($0) && !foreign.contains($0) }
        if !strays.isEmpty { found.append("rooms that belong to no booking: \(strays)") }
        // What was unclear when its account was disconnected is out of reach.
        for (provider, standing) in [("meet", google.live), ("teams", microsoft.meetings.map(\.id))] where !isGone("ana", provider) {
            for id in Set(standing).subtracting(elsewhere) { found.append("\(id) belongs to no booking") }
        }
        found += try await deadGrants()
        let unknown = Set(mail.taken.map(\.id)).filter { $0.hasPrefix("ml_") }.subtracting(outbox)
        if !unknown.isEmpty { found.append("mails were sent that belong to no booking: \(unknown)") }
        let stored = try await store.database.read { try $0.query("SELECT id FROM bookings", []).map { try $0.text(0) } }
        let nobodys = Set(stored).subtracting(bookings)
        if !nobodys.isEmpty { found.append("bookings that nobody was told of: \(nobodys)") }
        for id in foreign where !zoom.meetings.contains(where: { $0.id == id }) { found.append("the foreign room \(id) was touched") }
        if zoom.ledger.contains(where: { foreign.contains($0.meetingID) }) { found.append("a foreign room stands in the ledger") }
        return found
    }

    private func roomViolations(_ booking: Booking, _ rooms: [RoomRecord], _ live: [ZoomSandbox.Meeting]) -> [String] {
        guard booking.status == .confirmed, booking.meeting.status != .onJoin else {
            return live.isEmpty || mayBeOutOfReach(booking, rooms)
                ? [] : ["\(booking.status.rawValue), and yet has rooms: \(live.map(\.id))"]
        }
        if drifted.contains(booking.id) || mayBeOutOfReach(booking, rooms) {
            return live.count > 1 ? ["has rooms at Zoom: \(live.map { "\($0.id) since \($0.createdAt.rfc3339)" })"] : []
        }
        switch booking.meeting.status {
        case .ready where booking.meeting.module == "zoom-s2s" || booking.meeting.module == "zoom":
            // Nobody can be told of a room that went while its meeting took place, and nobody could look.
            if live.isEmpty, booking.end <= clock.now, rooms.last.map({ $0.goneReports > 0 }) ?? false { return [] }
            guard live.count == 1, let room = live.first else { return ["ready with \(live.count) rooms at Zoom"] }
            var found: [String] = []
            if String(room.id) != booking.meeting.room?.meetingID { found.append("shows another room than it has") }
            let isOver = booking.start <= clock.now
            if room.start != booking.start, !isOver, !moved.contains(booking.id) {
                found.append("the room is at \(room.start.rfc3339), the booking at \(booking.start.rfc3339)")
            }
            return found
        case .ready: return live.isEmpty ? [] : ["held at \(booking.meeting.provider), and yet has rooms at Zoom"]
        case .failed where mayBeGivenUp(booking): return live.isEmpty ? [] : ["given up, and yet has rooms"]
        case _ where isGone(booking.terms.owner.id, booking.meeting.provider) && booking.meeting.problem?.code == .notConnected:
            return live.isEmpty ? [] : ["has no connection, and yet has rooms"]
        default: return ["is \(booking.meeting.status.rawValue) after everything has healed: \(booking.meeting.problem?.message ?? "")"]
        }
    }

    /// What could not be made before its meeting began, or waits for a quota that is used up each day anew.
    private func mayBeGivenUp(_ booking: Booking) -> Bool {
        switch booking.meeting.problem?.code {
        case .unavailable, .reauthorize, .meetingGone: booking.start <= clock.now
        case .dailyLimit, .providerRateLimited: booking.start <= clock.now || hasDailyLimit
        default: false
        }
    }

    private func isGone(_ owner: String, _ provider: String) -> Bool { disconnected.contains(.init(owner: owner, provider: provider)) }

    /// Whether it has rooms of an account that was disconnected.
    private func mayBeOutOfReach(_ booking: Booking, _ rooms: [RoomRecord]) -> Bool {
        let owner = booking.terms.owner
        return ([booking.meeting.provider] + rooms.map(\.provider)).contains { provider in
            isGone(owner.id, provider) || (provider == "zoom" && endedGrants.contains(owner.email))
        }
    }

    /// Whether the owner's calendar shows the meeting where the type says so, once anybody has been mailed.
    private func calendarViolations(_ booking: Booking, entry: String?) async throws -> [String] {
        guard booking.terms.type.calendar, booking.meeting.module != "google-meet", booking.start > clock.now,
            !isGone(booking.terms.owner.id, "meet")
        else { return [] }
        let isStanding = entry.map { google.live.contains($0) } ?? false
        guard booking.status == .confirmed else { return isStanding ? ["was cancelled, and is on the owner's calendar"] : [] }
        let told = try await store.read { try $0.timeline(of: booking.id) }.contains { $0.event == "mail.sent" }
        guard told, let entry else {
            let connection = try await store.read { try $0.connection(owner: booking.terms.owner.id, provider: "meet") }
            let state = connection.map { "\($0.health) since \($0.refreshedAt.rfc3339): \($0.problem?.message ?? "")" } ?? "there is none"
            return told ? ["is not on the owner's calendar (its connection: \(state))"] : []
        }
        let start = google.start(of: entry) ?? ""
        guard isStanding else { return ["is not on the owner's calendar any more"] }
        return start.hasPrefix(booking.start.rfc3339.prefix(16))
            ? [] : ["is at \(start) on the owner's calendar, and at \(booking.start.rfc3339)"]
    }

    /// Connections that count as living and are not: somebody has stored another pair than the last.
    private func deadGrants() async throws -> [String] {
        var found: [String] = []
        for owner in ["ana", "eva"] where !endedGrants.contains("\(owner)@northwind.example") {
            guard let connection = try await store.read({ try $0.connection(owner: owner, provider: "zoom") }) else {
                found.append("\(owner)'s connection is gone, and nobody has ended it")
                continue
            }
            let grant = try GrantCodec.open(
                connection.sealed, vault, context: StoredConnection.context(owner: owner, provider: "zoom"))
            let isLive = zoom.isLive(refresh: grant.refresh?.reveal() ?? "")
            if !isLive { found.append("\(owner)'s grant was lost, and the connection counts as \(connection.health)") }
            if connection.health != .ok, isLive { found.append("\(owner)'s connection lives, and counts as dead") }
        }
        guard !found.isEmpty else { return [] }
        let story = try await store.read { try $0.audit(before: (.never, ""), limit: 200) }.reversed()
            .filter { !$0.action.hasPrefix("booking.") }.map { "\($0.at.rfc3339) \($0.action) \($0.subject) \($0.outcome)" }
        return found.map { "\($0)\n  " + story.joined(separator: "\n  ") }
    }

    /// What stands at Google and Microsoft for a booking, and what is wrong with it.
    private func roomViolationsElsewhere(_ booking: Booking, _ rooms: [RoomRecord], entry: String?) -> (owned: Set<String>, found: [String])
    {
        let standing = Set(google.live + microsoft.meetings.map(\.id))
        let theirs = Set(rooms.filter { $0.module == "google-meet" || $0.module == "microsoft-teams" }.map(\.roomID)).intersection(standing)
        let entries = entry.map { standing.contains($0) ? [$0] : [] } ?? []
        let owned = theirs.union(entries)
        let isOver = booking.end <= clock.now
        let mayRemain = mayBeOutOfReach(booking, rooms) || (entry != nil && isGone(booking.terms.owner.id, "meet"))
        if theirs.count > 1, !mayRemain { return (owned, ["has \(theirs.count) rooms: \(theirs)"]) }
        if mayRemain { return (owned, []) }
        guard booking.status == .confirmed else {
            // What took place stays on the calendar.
            let left = isOver ? theirs : owned
            return (owned, left.isEmpty ? [] : ["cancelled, and yet stands at a provider: \(left.sorted())"])
        }
        if isOver || drifted.contains(booking.id) { return (owned, []) }
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

    /// The owner hears of news that an attendee's mail system will not take.
    private func noticeViolations(_ booking: Booking, _ mails: [OutboxMail]) async throws -> [String] {
        guard booking.start > clock.now else { return [] }
        var found: [String] = []
        for mail in mails where mail.state == .failed && mail.reader != .owner && mail.isRevisionMail && mail.revision == booking.revision {
            let notice = try await store.read { try $0.notice(.undelivered(mail: mail.id)) }
            if notice == nil || notice?.state == .queued { found.append("its owner was not told of a mail that was refused") }
        }
        return found
    }

    private func mailViolations(_ booking: Booking, _ mails: [OutboxMail]) -> [String] {
        var found: [String] = []
        for reader in booking.readers {
            let theirs = mails.filter { $0.reader == reader && $0.isRevisionMail }
            let reminders = mails.filter { $0.reader == reader && !$0.isRevisionMail && $0.reachedReader }
            if Set(reminders.map(\.dedupKey)).count != reminders.count { found.append("\(reader.text) was reminded twice of one time") }
            let newest = theirs.filter { $0.revision == booking.revision }
            if booking.status == .confirmed, newest.count != 1 || !(newest[0].state == .sent || refused.contains(newest[0].id)) {
                found.append(
                    "\(reader.text) was not told of revision \(booking.revision): \(theirs.map { "\($0.kind) \($0.revision) \($0.state)" })"
                )
            }
            if booking.status == .cancelled, !newest.contains(where: { refused.contains($0.id) }),
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
            if copies.count > 1, !mail.maybeDelivered { found.append("a mail was sent \(copies.count) times, and nobody had to") }
            if mail.state == .sent, copies.isEmpty { found.append("a mail counts as sent and never was") }
            if !copies.isEmpty, !mail.reachedReader { found.append("a mail was delivered, and nobody knows") }
        }
        return found
    }
}
