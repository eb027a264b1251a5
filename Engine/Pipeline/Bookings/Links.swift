import UsherCore
import UsherStore
import UsherVault

/// The readers' own links to pages: 128 random bits, found by their hash, shown again by opening the seal.
package struct Links {
    private let context: EngineContext

    init(_ context: EngineContext) { self.context = context }

    /// Makes the links of a new booking: a join page for every reader, a manage page for every attendee.
    func make(for booking: Booking) throws -> [(link: StoredLink, hash: String)] {
        try booking.readers.flatMap { reader in
            try (reader == .owner ? [StoredLink.Purpose.join] : [.join, .manage]).map { purpose in
                let token = context.environment.id("", bits: 128)
                let sealed = try context.vault.seal(
                    token, context: StoredLink.context(booking: booking.id, reader: reader, purpose: purpose))
                return (StoredLink(reader: reader, purpose: purpose, sealed: sealed), Self.hash(token))
            }
        }
    }

    /// What a link's token is found by. The token's time comes first, so that new rows land side by side.
    package static func hash(_ token: String) -> String { token.prefix(8) + Vault.hash(token.utf8) }

    /// `https://…/join/{token}`.
    func url(_ purpose: StoredLink.Purpose, _ reader: Reader, _ bookingID: String, _ links: [StoredLink]) throws -> String {
        guard let link = links.first(where: { $0.reader == reader && $0.purpose == purpose }) else {
            throw DatabaseError(.corrupt, "booking \(bookingID) has no \(purpose.rawValue) link for \(reader.text)")
        }
        let token = try context.vault.open(link.sealed, context: StoredLink.context(booking: bookingID, reader: reader, purpose: purpose))
        return "\(context.settings.publicURL)/\(purpose.rawValue)/\(token)"
    }
}
