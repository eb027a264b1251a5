import UsherCore
import UsherPipeline
import UsherStore

/// All that a retry can help: bookings to come whose room or mail went wrong, and work that is stuck.
struct Trouble: Sendable {
    /// By their starts; at most two thousand.
    let bookings: [Booking]
    let kinds: [(kind: String, count: Int64)]

    static let most = 1_000

    var isEmpty: Bool { bookings.isEmpty && kinds.isEmpty }

    init(_ context: EngineContext) async throws {
        let now = context.now
        (bookings, kinds) = try await context.store.read { tx in
            let refused = try Set(tx.refusedMails(limit: Self.most).map(\.bookingID)).compactMap { try tx.booking($0) }
            // Nobody wants to be told of a meeting that is over.
            let toCome = refused.filter { $0.status == .confirmed && now < $0.end }
            let all = try toCome + tx.bookingsInTrouble(from: now, limit: Self.most)
            let byID = Dictionary(all.map { ($0.id, $0) }) { first, _ in first }
            return (byID.values.sorted { ($0.start, $0.id) < ($1.start, $1.id) }, try tx.troubledKinds().map { ($0.kind, $0.count) })
        }
    }
}
