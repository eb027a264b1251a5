import Foundation
import UsherCore
import UsherMail
import UsherStore

/// What readers have in their hands after a run, put together from the mails that arrived, as a mail program and a calendar would.
struct Mailboxes {
    /// By outbox id, in the order in which they came.
    private let arrived: [String: [ReceivedMail]]

    init(taken: [OutgoingMail]) {
        // Copies of one mail are the same, byte for byte; that is looked at elsewhere.
        var read: [String: ReceivedMail] = [:]
        arrived = Dictionary(
            grouping: taken.enumerated().map { order, mail in
                var received = read[mail.id] ?? ReceivedMail(mail)
                read[mail.id] = received
                received.order = order
                return received
            }, by: \.id)
    }

    /// An event as a calendar shows it. A request or cancellation of a higher SEQUENCE replaces it, whatever came later: RFC 5546, 2.1.4.
    private struct Entry: Equatable {
        var sequence: Int
        var start: String
        var end: String
        var isCancelled: Bool
    }

    /// - Parameter refused: mails that a reader's mail system would not take, by outbox id: that reader holds what came before.
    func violations(_ booking: Booking, _ mails: [OutboxMail], refused: Set<String>) -> [String] {
        booking.readers.filter { reader in !mails.contains { $0.reader == reader && $0.isRevisionMail && refused.contains($0.id) } }.flatMap
        {
            reader in
            let theirs = mails.filter { $0.reader == reader && $0.reachedReader }
            let ids = Set(theirs.map(\.id))
            let arrived = ids.flatMap { self.arrived[$0] ?? [] }.sorted { $0.order < $1.order }
            return violations(booking, reader, theirs, arrived).map { "\(reader.text) \($0)" }
        }
    }

    private func violations(_ booking: Booking, _ reader: Reader, _ mails: [OutboxMail], _ arrived: [ReceivedMail]) -> [String] {
        var found: [String] = []
        let entries = calendar(arrived)
        if arrived.contains(where: { $0.text.isEmpty }) { found.append("got a mail without words") }
        if entries.isEmpty, reader != .owner, !arrived.isEmpty { found.append("never got the meeting for the calendar") }
        if entries.count > 1 { found.append("has the meeting on the calendar \(entries.count) times") }
        let wanted = booking.status == .confirmed
        for (_, entry) in entries where entry.isCancelled == wanted {
            found.append(wanted ? "has no meeting on the calendar any more" : "still has the meeting on the calendar")
        }
        if let entry = entries.values.first, wanted {
            if entry.start != Self.stamp(booking.start) || entry.end != Self.stamp(booking.end) {
                found.append("has \(entry.start) on the calendar, the booking is at \(booking.start.rfc3339)")
            }
        }
        // The last mail names the room that there is, and the way in; where the room is made on join, the page that makes it.
        let news = mails.last { mail in mail.isRevisionMail && arrived.contains { $0.id == mail.id } }
        if wanted, booking.terms.type.provision != .onJoin, booking.meeting.status == .ready, let room = booking.meeting.room,
            let mail = arrived.last(where: { $0.id == news?.id })
        {
            if !mail.text.contains(room.joinURL) { found.append("was not told of \(room.joinURL)") }
            if let passcode = room.passcode, !mail.text.contains(passcode) { found.append("was not told of the passcode") }
        }
        let threads = Set(arrived.map { $0.header("references") ?? $0.header("message-id") ?? "" })
        if threads.count > 1 { found.append("has the meeting in \(threads.count) threads") }
        return found
    }

    /// By UID.
    private func calendar(_ mails: [ReceivedMail]) -> [String: Entry] {
        var entries: [String: Entry] = [:]
        for event in mails.compactMap(\.event) {
            let entry = Entry(
                sequence: Int(event["SEQUENCE"] ?? "") ?? -1, start: event["DTSTART"] ?? "", end: event["DTEND"] ?? "",
                isCancelled: event["METHOD"] == "CANCEL")
            let uid = event["UID"] ?? ""
            if let former = entries[uid], former.sequence > entry.sequence { continue }
            entries[uid] = entry
        }
        return entries
    }

    private static func stamp(_ instant: Instant) -> String {
        instant.rfc3339.filter { $0 != "-" && $0 != ":" }
    }
}
