import Logging
import UsherCore
import UsherStore

/// Looks through a host's rooms for ones that bear a key of ours and should not be there.
///
/// It deletes nothing itself: it has the booking's own step look again. It acts only on keys that this database issued: a key
/// that it does not know belongs to a restored backup's or a staging installation's rooms, and is reported and left alone.
struct SweepStep: Step {
    static let kind = "sweep"

    private let context: EngineContext
    private let provisioner: ProviderResolver

    static let interval = Duration.hours(6)

    init(_ context: EngineContext) {
        self.context = context
        provisioner = ProviderResolver(context)
    }

    /// The subject of the sweep of one host at one provider, through one owner's connection where it has one.
    static func subject(provider: String, owner: String, host: String) -> String { "\(provider) \(owner) \(host)" }

    /// Sees to it that the host is swept from time to time.
    static func schedule(_ room: RoomRecord, of owner: Owner, _ step: StepTransaction) throws {
        let isOwn = step.context.registry.descriptor(room.module)?.connection == .owner
        try step.tx.enqueue(
            kind: kind, subject: subject(provider: room.provider, owner: isOwn ? owner.id : "-", host: room.host), due: step.now + interval)
    }

    func prepare(_ claim: Claim, _ step: StepTransaction) throws -> Effect? {
        let parts = claim.subject.split(separator: " ", maxSplits: 2, omittingEmptySubsequences: false).map(String.init)
        guard parts.count == 3, context.catalog.current.provider(parts[0]) != nil else {
            try step.tx.finish(claim)
            return nil
        }
        // Without that connection nothing can be looked through; connecting again, or the next room, has it swept again.
        if parts[1] != "-", try step.tx.connection(owner: parts[1], provider: parts[0])?.account.id != parts[2] {
            try step.tx.finish(claim)
            return nil
        }
        let (provider, owner, host, deadline) = (parts[0], parts[1], parts[2], step.deadline)
        return Effect(provider: provider) { [provisioner, context] in
            do throws(ProviderError) {
                let (module, call) = try await provisioner.call(provider, owner: owner, deadline: deadline)
                let found = try await module.find(nil, host: host, call)
                return { step in
                    try arm(found, step)
                    return .sleep(until: step.now + Self.interval)
                }
            } catch {
                context.logger.warning("a sweep could not be made", metadata: ["provider": "\(provider)", "reason": "\(error.message)"])
                return { step in .rest(until: step.now + Self.interval) }
            }
        }
    }

    private func arm(_ found: [FoundRoom], _ step: StepTransaction) throws {
        for room in found {
            guard var record = try step.tx.room(key: room.key), let booking = try step.tx.booking(record.bookingID) else {
                context.logger.notice(
                    "a room bears a key that this database did not issue; it is left alone", metadata: ["room": "\(room.id)"])
                continue
            }
            let isHeld = record.state == .live && record.roomID == room.id
            let isSettling = record.state == .attempting || record.state == .unclear || record.state == .removing
            // What was refused is tried again while the meeting is to come, and was said already.
            let isRefused = record.failures > 0
            let isStray =
                !isHeld && !isSettling && (!isRefused || step.now < booking.end)
                && (booking.status == .cancelled || record.state == .live || booking.meeting.status == .ready)
            guard isStray else { continue }
            record.duplicateCheckAt = step.now
            record.duplicateChecksLeft = max(record.duplicateChecksLeft, 1)
            try step.tx.save(record)
            if !isRefused { try step.tx.note(booking.id, "meeting.stray", "\(record.provider): \(room.id)", at: step.now) }
            try ProvisionStep.enqueue(booking, step.tx, due: step.now)
        }
    }
}
