import UsherCore
import UsherStore

/// What a guest may change through their own link, and how often: whoever has a link could otherwise move a booking to and fro, and use
/// up what the host may do at the provider in a day.
struct GuestRules {
    let booking: Booking
    let tx: Tx
    let actor: Actor
    let now: Instant

    private static let movesAnHour = 3
    /// Zoom lets a host make and change 100 meetings a day; the other half is for new bookings.
    /// Source: https://developers.zoom.us/docs/api/rate-limits/
    private static let movesOfOneOwnerADay: Int64 = 50

    /// - Throws: ``ErrorCode/authForbidden`` where a guest asks for a move that only the owner can make.
    func checkMove() throws {
        guard actor.isGuest else { return }
        let type = booking.terms.type
        let limits = type.guestChanges ?? .usual
        let moves = try tx.timeline(of: booking.id).filter { $0.event == "booking.rescheduled" && Actor($0.actor).isGuest }
        guard booking.guestsMay(.moveAndCancel), moves.count < limits.moves, now + limits.notice <= booking.start,
            moves.count(where: { now < $0.at + .hours(1) }) < Self.movesAnHour,
            try tx.guestMoves(owner: booking.terms.owner.id, since: now - .days(1)) < Self.movesOfOneOwnerADay
        else { throw refusal("moved") }
    }

    /// - Throws: ``ErrorCode/authForbidden``.
    func checkCancel() throws {
        guard actor.isGuest else { return }
        guard booking.guestsMay(.cancel) else { throw refusal("cancelled") }
    }

    private func refusal(_ what: String) -> UsherError {
        UsherError(.authForbidden, "This cannot be \(what) here (any more): please ask \(booking.terms.owner.name).")
    }
}

extension Booking {
    /// Whether guests may do this much.
    package func guestsMay(_ change: GuestsMay) -> Bool {
        let allowed = terms.type.guestsMay ?? .moveAndCancel
        return allowed == .moveAndCancel || allowed == change
    }
}
