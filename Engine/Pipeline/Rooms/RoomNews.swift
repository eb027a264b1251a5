import UsherCore
import UsherStore

/// What readers have been told of rooms.
extension RoomOutcomes {
    /// A mail says what the booking was at its revision: once one is written, what it says may change only with a new one.
    mutating func raiseRevisionIfTold() throws {
        guard try step.tx.mails(of: booking.id).contains(where: { $0.revision == booking.revision }) else { return }
        booking.revision += 1
        booking.changedAt = step.now
    }

    /// Whether the mails that count as sent since a restore told of this room, as far as anyone can know.
    func countsAsTold(_ room: RoomRecord, _ isFound: Bool) throws -> Bool {
        guard isFound || ProviderResolver(step.context).isRepeatable(room.module),
            RoomKey.isOlder(room.key, than: try step.tx.installation())
        else { return false }
        let mails = try step.tx.mails(of: booking.id).filter { $0.revision == booking.revision }
        return !mails.isEmpty && mails.allSatisfy { $0.state == .sent && $0.snapshot.isEmpty }
    }

    /// One that was made before a restore may have been deleted by a cancellation that the backup does not know: a person decides.
    func isRecreated(_ room: RoomRecord) throws -> Bool {
        try booking.terms.type.onDrift == .recreate && !RoomKey.isOlder(room.key, than: step.tx.installation())
    }
}
