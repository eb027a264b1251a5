import UsherCore

/// When people asked for bookings to be moved, and when they were told that it was done.
struct Moves {
    private struct Move {
        var start: String
        var begun: Int
        /// `nil` where nobody was told: it may have happened or not.
        var answered: Int?
        var isRefused = false
    }
    private var moves: [String: [Move]] = [:]
    private var order = 0

    /// - Returns: for ``answered(_:of:)``.
    mutating func begin(_ booking: String, to start: String) -> Int {
        order += 1
        moves[booking, default: []].append(Move(start: start, begun: order))
        return moves[booking, default: []].count - 1
    }

    mutating func answered(_ move: Int, of booking: String) {
        order += 1
        moves[booking]?[move].answered = order
    }

    /// Whether a booking may have been moved, wherever it is now.
    func has(_ booking: String) -> Bool { moves[booking]?.contains { !$0.isRefused } ?? false }

    /// A move was refused, and so did not happen.
    mutating func refused(_ move: Int, of booking: String) { moves[booking]?[move].isRefused = true }

    /// A booking is where the last move left it. Of those under way at the same time each may have been the last.
    func violations(_ booking: Booking) -> [String] {
        let moves = (moves[booking.id] ?? []).filter { !$0.isRefused }
        guard let last = moves.filter({ $0.answered != nil }).map(\.begun).max() else { return [] }
        let possible = moves.filter { ($0.answered ?? .max) >= last }.map(\.start)
        return possible.contains(booking.start.rfc3339) ? [] : ["is at \(booking.start.rfc3339), and was moved to \(possible)"]
    }
}
