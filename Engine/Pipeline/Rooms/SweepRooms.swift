import Logging
import UsherCore
import UsherStore

/// Looks through a host's rooms for ones that carry a key of ours and should not be there.
///
/// It deletes nothing itself: it has the booking's own job look again. It acts only on keys that this database issued: a key
/// that it does not know belongs to a staging installation's rooms or to commits that were lost, and is reported and left alone
/// (``UnknownRooms``).
struct SweepRooms {
    private let context: EngineContext
    private let provisioner: ProviderResolver

    init(_ context: EngineContext) {
        self.context = context
        provisioner = ProviderResolver(context)
    }

    /// - Parameter owner: through whose connection it looks; `nil` where the provider has none.
    func prepare(
        provider: String, owner: String?, host: String, _ claim: Claim, _ step: StepTransaction
    ) throws -> Effect? {
        guard context.catalog.current.provider(provider) != nil else { return try step.finish(claim) }
        // Without that connection nothing can be looked through; connecting again, or the next room, has it swept again.
        if let owner, try step.tx.connection(owner: owner, provider: provider)?.account.id != host { return try step.finish(claim) }
        let deadline = step.deadline
        return Effect(provider: provider) { [provisioner, context] in
            do throws(ProviderError) {
                let (module, call) = try await provisioner.call(provider, owner: owner ?? "", deadline: deadline)
                let found = try await module.find(nil, host: host, call)
                await report(found)
                return { step in
                    try arm(found, step)
                    return .sleep(until: step.now + sweepInterval)
                }
            } catch {
                context.logger.warning("a sweep could not be made", metadata: ["provider": "\(provider)", "reason": "\(error.message)"])
                return { step in .rest(until: step.now + sweepInterval) }
            }
        }
    }

    /// Whether it is the booking's room, or is being settled.
    private static func isInOrder(_ room: FoundRoom, _ record: RoomRecord) -> Bool {
        switch record.state {
        case .live: record.roomID == room.id
        case .attempting, .unclear, .removing: true
        default: false
        }
    }

    private func arm(_ found: [FoundRoom], _ step: StepTransaction) throws {
        // What is as it should be, as nearly all is, locks nobody's booking.
        let known = try found.map { ($0, try step.tx.room(key: $0.key)) }.filter { $1 == nil || !Self.isInOrder($0, $1!) }
        // In the order in which everybody locks them.
        for (room, issued) in known.sorted(by: { $0.1?.bookingID ?? "" < $1.1?.bookingID ?? "" }) {
            guard let issued, let booking = try step.tx.wholeBooking(issued.bookingID),
                var record = try step.tx.rooms(of: booking.id).first(where: { $0.generation == issued.generation })
            else { continue }
            // What was refused is tried again while the meeting is to come, and was said already.
            let isRefused = record.failures > 0
            let isStray =
                !Self.isInOrder(room, record) && (!isRefused || step.now < booking.end)
                && (booking.status == .cancelled || record.state == .live || booking.meeting.status == .ready)
            guard isStray else { continue }
            record.duplicateCheckAt = step.now
            record.duplicateChecksLeft = max(record.duplicateChecksLeft, 1)
            try step.tx.save(record)
            if !isRefused { step.tx.note(booking.id, "meeting.stray", "\(record.provider): \(room.id)", at: step.now) }
            try step.followUp(.roomsTouched(booking, newest: try step.tx.rooms(of: booking.id).last))
        }
    }

    /// What this database has given no key to is left alone.
    private func report(_ found: [FoundRoom]) async {
        let now = context.now
        do {
            let (foreign, lost) = try await context.store.read { tx in
                let installation = try tx.installation()
                return (
                    try found.filter { try !RoomKey.isOurs($0.key, installation) && tx.room(key: $0.key) == nil },
                    try UnknownRooms.among(found, tx, now: now)
                )
            }
            for room in foreign {
                context.logger.notice("a room carries another installation's mark; it is left alone", metadata: ["room": "\(room.id)"])
            }
            for room in lost {
                context.logger.notice(
                    "a room carries this installation's mark, and no booking has it: `usher rooms` lists such rooms, and removes them",
                    metadata: ["room": "\(room.id)"])
            }
        } catch {
            context.logger.warning("nobody could see whether rooms are without a booking", metadata: ["error": "\(error)"])
        }
    }
}
