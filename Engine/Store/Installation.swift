import UsherCore

/// Which installation a database belongs to, and whether anything may leave it.
///
/// Its id and its epoch stand in every room's key, and so in every mark at a provider. The epoch is another after each restore: what was
/// done between the backup and the restore was done under the one before.
package struct Installation: Hashable, Sendable {
    /// Why nothing leaves.
    package enum Hold: String, Sendable {
        /// It is being put back from a backup: it is not whole, and is not let go.
        case restoring
        /// It was put back from a backup.
        case restored
        /// Its file or database lies elsewhere than before: it was copied, or moved.
        case moved
    }

    /// 40 random bits in base32.
    package var id: String
    /// 256 random bits in base32: makes the keys of rooms unguessable.
    package var secret: String
    /// 40 random bits in base32.
    package var epoch: String
    /// The epochs before, each with its end in microseconds: `{epoch} {end} {epoch} {end} …`, the earliest first.
    package var formerEpochs = ""
    /// When it was put back, or was found elsewhere; ``Instant/epoch`` where it never was.
    package var restoredAt = Instant.epoch
    /// Where the database lies, as ``Database/place()`` says; two with `|` between while it is about to say otherwise; empty until it is
    /// known.
    package var place = ""
    /// `nil` where work goes on.
    package var hold: Hold?

    /// A new one.
    /// - Parameter random: gives so many random bytes.
    package init(random: (Int) -> [UInt8]) {
        (id, secret, epoch) = (base32(random(5)), base32(random(32)), base32(random(5)))
    }

    private init(id: String, secret: String, epoch: String) { (self.id, self.secret, self.epoch) = (id, secret, epoch) }

    init(_ row: SQLRow) throws {
        self.init(id: try row.text(0), secret: try row.text(1), epoch: try row.text(2))
        (formerEpochs, restoredAt, place) = (try row.text(3), try row.instant(4), try row.text(5))
        hold = try row.optionalText(6).map { try known($0) }
    }

    var values: [SQLValue] {
        [.text(id), .text(secret), .text(epoch), .text(formerEpochs), SQLValue(restoredAt), .text(place), SQLValue(hold?.rawValue)]
    }

    /// Begins a new epoch, in which nothing leaves until a person has released it.
    package mutating func hold(_ reason: Hold, at now: Instant, random: (Int) -> [UInt8]) {
        formerEpochs += (formerEpochs.isEmpty ? "" : " ") + "\(epoch) \(now.microseconds)"
        epoch = base32(random(5))
        (hold, restoredAt) = (reason, now)
    }

    /// The epoch that was in force at a time.
    package func epoch(at time: Instant) -> String {
        let parts = formerEpochs.split(separator: " ").map(String.init)
        let former = stride(from: 0, to: parts.count - 1, by: 2).first { Int64(parts[$0 + 1]).map { time.microseconds < $0 } ?? false }
        return former.map { parts[$0] } ?? epoch
    }

    /// Whether a database at that place is the installation's.
    package func isAt(_ place: String) -> Bool { self.place.split(separator: "|").contains { $0 == place } }
}
