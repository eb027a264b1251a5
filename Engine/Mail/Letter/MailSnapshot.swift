import UsherCore

/// What a mail has told its reader of time and room, in short: the next one shows what has changed.
package struct MailSnapshot: Hashable, Sendable {
    /// When the meeting begins.
    package var start: Instant
    /// When it ends.
    package var end: Instant
    /// The same as long as link, id, passcode and numbers are; empty without a room.
    package var room: String

    /// What a mail about the booking as it stands says.
    package init(_ booking: Booking) {
        start = booking.start
        end = booking.end
        room = booking.meeting.room.map(Self.mark) ?? ""
    }

    /// `{start} {end} {room}`, times in microseconds; `nil` for anything else.
    package init?(_ text: String) {
        let parts = text.split(separator: " ", omittingEmptySubsequences: false)
        guard parts.count == 3, let start = Int64(parts[0]), let end = Int64(parts[1]) else { return nil }
        self.start = Instant(microseconds: start)
        self.end = Instant(microseconds: end)
        room = String(parts[2])
    }

    /// For the outbox.
    package var text: String { "\(start.microseconds) \(end.microseconds) \(room)" }

    /// FNV-1a, 64 bits: it tells rooms apart, and keeps no secret.
    private static func mark(_ room: Room) -> String {
        let numbers = room.dialIn.map { "\($0.number) \($0.pin ?? "")" }
        var hash: UInt64 = 0xcbf2_9ce4_8422_2325
        for byte in ([room.joinURL, room.meetingID, room.passcode ?? ""] + numbers).joined(separator: "\n").utf8 {
            hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3
        }
        return String(hash, radix: 36)
    }
}
