import UsherCore
import UsherStore
import UsherVault

/// The readers' own links to pages: `…/join/` and `…/manage/`, then the booking's id and a code that only the booking's secret makes, for
/// one reader and one purpose. The secret has 128 random bits and lies with the booking, sealed.
///
/// Bookings from before version 10 of the schema have links of their own, drawn one by one and found by their hash.
package struct Links {
    private let context: EngineContext

    /// - Parameter context: with the vault, and the address that links begin with.
    package init(_ context: EngineContext) { self.context = context }

    /// Draws a new booking's secret.
    /// - Returns: the secret, sealed.
    func newSecret(of bookingID: String) throws -> String {
        let secret = context.environment.code(bits: 128)
        let sealed = try context.vault.seal(secret, context: StoredLink.context(booking: bookingID))
        _ = Self.opened.value(bookingID + sealed) { Secret(secret) }
        return sealed
    }

    /// `https://…/join/{token}`.
    func url(_ purpose: StoredLink.Purpose, _ reader: Reader, _ booking: Booking, _ tx: Tx) throws -> String {
        let token = booking.linkSecret.isEmpty ? try drawn(purpose, reader, booking, tx) : try derived(purpose, reader, booking)
        return "\(context.settings.publicURL)/\(purpose.rawValue)/\(token)"
    }

    /// Whose link a token is, and of which booking; `nil` where it leads nowhere.
    package func visitor(_ token: String, _ purpose: StoredLink.Purpose, _ tx: Tx) throws -> (booking: Booking, reader: Reader)? {
        if let booking = try tx.booking(Self.idPrefix + token.dropLast(Self.codeLength)), !booking.linkSecret.isEmpty {
            let secret = try secret(of: booking)
            let written = Array(token.utf8.suffix(Self.codeLength))
            return booking.readers.first { constantTimeEqual(Array(Self.code(purpose, $0, secret).utf8), written) }.map { (booking, $0) }
        }
        guard let link = try tx.link(hash: Self.hash(token)), link.purpose == purpose, let booking = try tx.booking(link.booking) else {
            return nil
        }
        return (booking, link.reader)
    }

    // MARK: Derived from the booking's secret

    private static let idPrefix = "bk_"
    /// 128 bits in base32.
    private static let codeLength = 26

    private func derived(_ purpose: StoredLink.Purpose, _ reader: Reader, _ booking: Booking) throws -> String {
        booking.id.dropFirst(Self.idPrefix.count) + Self.code(purpose, reader, try secret(of: booking))
    }

    /// Secrets of bookings that are worked on now, by id and seal: each is asked for by every mail and answer.
    private static let opened = Memo<String, Secret>(limit: 1_000)

    private func secret(of booking: Booking) throws -> String {
        let sealed = booking.linkSecret
        return try Self.opened.value(booking.id + sealed) {
            Secret(try context.vault.open(sealed, context: StoredLink.context(booking: booking.id)))
        }.reveal()
    }

    private static func code(_ purpose: StoredLink.Purpose, _ reader: Reader, _ secret: String) -> String {
        Vault.code("\(purpose.rawValue) \(reader.text)", secret: secret)
    }

    // MARK: Drawn one by one

    private func drawn(_ purpose: StoredLink.Purpose, _ reader: Reader, _ booking: Booking, _ tx: Tx) throws -> String {
        guard let link = try tx.links(of: booking.id).first(where: { $0.reader == reader && $0.purpose == purpose }) else {
            throw DatabaseError(.corrupt, "booking \(booking.id) has no \(purpose.rawValue) link for \(reader.text)")
        }
        return try context.vault.open(link.sealed, context: StoredLink.context(booking: booking.id, reader: reader, purpose: purpose))
    }

    /// What such a token is found by. The token's time comes first, so that new rows land side by side.
    package static func hash(_ token: String) -> String { token.prefix(8) + Vault.hash(token.utf8) }
}
