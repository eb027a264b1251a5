import UsherCore

/// Which installation a database belongs to, and whether anything may leave it.
///
/// Its id and its epoch stand in every room's key, and so in every mark at a provider. The epoch is another after each restore: what was
/// done between the backup and the restore was done under the one before.
package struct Installation: Hashable, Sendable {
    /// Why nothing leaves.
    package enum Hold: String, Sendable {
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
    /// The epoch before the last restore; empty where there was none.
    package var formerEpoch = ""
    /// When it was put back, or was found elsewhere; ``Instant/epoch`` where it never was.
    package var restoredAt = Instant.epoch
    /// Where the database lies, as ``Database/place()`` says; empty until it is known.
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
        (formerEpoch, restoredAt, place) = (try row.text(3), try row.instant(4), try row.text(5))
        hold = try row.optionalText(6).map { try known($0) }
    }

    var values: [SQLValue] {
        [.text(id), .text(secret), .text(epoch), .text(formerEpoch), SQLValue(restoredAt), .text(place), SQLValue(hold?.rawValue)]
    }

    /// Begins a new epoch, in which nothing leaves until a person has released it.
    package mutating func hold(_ reason: Hold, at now: Instant, random: (Int) -> [UInt8]) {
        (formerEpoch, epoch) = (epoch, base32(random(5)))
        (hold, restoredAt) = (reason, now)
    }
}
