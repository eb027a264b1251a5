import Foundation
import UsherCore
import UsherStore

/// Days on which owners host nobody, beside what their schedule says.
package struct TimeOffService: Sendable {
    private let context: EngineContext
    /// So many stretches has an owner at most.
    private static let most = 100
    /// Days of one stretch.
    private static let longest: Int64 = 731

    package init(_ context: EngineContext) { self.context = context }

    /// Those that are not over, in order.
    package func list(of owner: Owner) async throws -> [StoredTimeOff] {
        let today = today(owner)
        return try await context.store.read { try $0.timeOff(of: owner.id, from: today) }
    }

    /// Adds days off. Bookings that stand there stay.
    /// - Parameters:
    ///   - first: `2026-12-24`.
    ///   - last: the last day, included; the first where it is empty.
    /// - Throws: ``ErrorCode/validationFailed`` with every finding.
    package func add(
        _ first: String, _ last: String, owner: Owner, known findings: [UsherError.Finding] = [], repeating key: IdempotencyKey? = nil
    ) async throws -> IdempotentResult<StoredTimeOff> {
        var findings = findings
        let from = CalendarDate(first)
        let to = last.isEmpty ? from : CalendarDate(last)
        for (name, date) in [("from", from), ("to", to)] where date == nil && !findings.contains(where: { $0.pointer == "/\(name)" }) {
            findings.append(.init("/\(name)", "must be a date: 2026-12-24"))
        }
        if let from, let to {
            if to < from { findings.append(.init("/to", "lies before 'from'")) }
            if to.day - from.day > Self.longest { findings.append(.init("/to", "lies more than two years after 'from'")) }
            if to < today(owner) { findings.append(.init("/to", "is over")) }
        }
        guard findings.isEmpty, let from, let to else {
            throw UsherError(.validationFailed, "These days off cannot be kept.", findings: findings)
        }
        let off = StoredTimeOff(id: context.environment.id("off_"), ownerID: owner.id, first: from, last: to)
        let (now, today) = (context.now, today(owner))
        return IdempotentResult(
            try await context.store.write { tx in
                try context.idempotent(
                    key, tx, now: now, replay: { id in StoredTimeOff(id: id, ownerID: owner.id, first: from, last: to) }
                ) {
                    guard try tx.lockOwner(owner.id)?.isActive == true else {
                        throw UsherError(.notFound, "No active owner is called '\(owner.id)'.")
                    }
                    guard try tx.timeOff(of: owner.id, from: today).count < Self.most else {
                        throw UsherError(.validationFailed, "An owner has at most \(Self.most) stretches of days off. Remove one first.")
                    }
                    try tx.add(off)
                    try context.audit("time-off.add", "\(owner.id)/\(off.id)", tx)
                    return (off, off.id)
                }
            })
    }

    /// Takes days off back.
    /// - Throws: ``ErrorCode/notFound``
    package func remove(_ id: String, owner: String) async throws {
        try await context.store.write { tx in
            guard try tx.removeTimeOff(id, owner: owner) else {
                throw UsherError(.notFound, "There are no days off '\(id.prefix(80))'.")
            }
            try context.audit("time-off.remove", "\(owner)/\(id)", tx)
        }
    }

    private func today(_ owner: Owner) -> CalendarDate {
        CalendarDate(WallTime(context.now, in: .init(iana: owner.timeZone) ?? .gmt))
    }
}
