import UsherCore
import UsherStore
import UsherVault

/// The keys of rooms: 128 unguessable bits that follow from the installation's secret, the booking and the generation; then the
/// installation's id and its epoch. So a restored database knows again which rooms it made after the backup, and no other installation's.
package enum RoomKey {
    /// What is known of a generation's room before anything was asked.
    ///
    /// Of a booking from before a restore, a room may have been made between the backup and the restore: it counts as unclear, under the
    /// key that it would bear.
    static func first(of link: Terms.Link, _ booking: Booking, _ generation: Int64, _ installation: Installation) throws -> RoomRecord {
        let isOlder = booking.createdAt < installation.restoredAt
        let key = key(of: booking, generation, installation)
        var room = RoomRecord(
            key: key, bookingID: booking.id, generation: generation, provider: link.provider, module: link.module, host: "",
            state: isOlder ? .unclear : .absent)
        room.requestDeadline = installation.restoredAt
        (room.appliedStart, room.appliedEnd) = (booking.start, booking.end)
        return room
    }

    /// Under the epoch in which the booking was made, however many restores there have been since.
    package static func key(of booking: Booking, _ generation: Int64, _ installation: Installation) -> String {
        Vault.code("\(booking.id) \(generation)", secret: installation.secret) + installation.id + installation.epoch(at: booking.createdAt)
    }

    /// Whether a key was made before the last restore.
    static func isOlder(_ key: String, than installation: Installation) -> Bool {
        installation.restoredAt > .epoch && !key.hasSuffix(installation.id + installation.epoch)
    }

    /// Whether a room at a provider is this installation's.
    package static func isOurs(_ key: String, _ installation: Installation) -> Bool {
        key.dropFirst(lengthOfCode).hasPrefix(installation.id)
    }

    private static let lengthOfCode = 26
    /// Of keys with the installation behind the code, and of those from before there was one.
    static let lengths = [lengthOfCode, lengthOfCode + 16]
}
