import UsherCore
import UsherStore

/// Lets a held installation go.
package struct Release: Sendable {
    /// What becomes of mails that were waiting when the backup was made, and may have left since.
    package enum OldMail: String, Sendable, CaseIterable {
        /// They are sent; who has had one gets it again.
        case send
        /// They count as sent.
        case drop
    }
    /// What the database is from now on.
    package enum Role: Sendable {
        /// The installation itself: it goes on.
        case original(OldMail)
        /// Another one, beside the original: it touches none of its rooms, and has none of its grants.
        case copy
    }

    private let context: EngineContext

    /// For the installation of a context.
    package init(_ context: EngineContext) { self.context = context }

    /// Holds the installation: for a database that was put back by other means than `usher restore`.
    package func hold() async throws {
        try await context.store.write { [context] tx in
            try tx.lockInstallation()
            var installation = try tx.presentInstallation()
            guard installation.hold == nil else { throw UsherError(.validationFailed, "It is held already: see `usher release`.") }
            installation.hold(.restored, at: context.now, random: context.environment.random)
            try tx.save(installation)
            try tx.doubtAfterRestore(forgettingProcesses: false)
            try context.audit("installation.held", "by hand", tx)
        }
        try await context.store.refreshInstallation()
    }

    /// - Throws: ``ErrorCode/validationFailed`` where nothing is held, or a restore did not end.
    package func run(as role: Role) async throws {
        try await context.store.write { [context] tx in
            try tx.lockInstallation()
            var installation = try tx.presentInstallation()
            guard installation.hold != .restoring else {
                throw UsherError(
                    .validationFailed, "A restore did not come to its end, and the database is not whole: empty it, and restore once more.")
            }
            guard let hold = installation.hold else {
                throw UsherError(.validationFailed, "Nothing is held: work goes on already.")
            }
            switch role {
            case .original(.send): break
            case .original(.drop): try countAsSent(before: installation.restoredAt, tx)
            case .copy:
                try tx.cutOff()
                let fresh = Installation(random: context.environment.random)
                (installation.id, installation.secret, installation.epoch) = (fresh.id, fresh.secret, fresh.epoch)
                (installation.formerEpochs, installation.restoredAt) = ("", .epoch)
            }
            installation.hold = nil
            try tx.enqueue([ScheduledJob(.prune, due: context.now)], now: context.now)
            try tx.save(installation)
            let words = if case .original(let mail) = role { "original, old mail: \(mail.rawValue)" } else { "copy" }
            try context.audit("installation.released", "\(hold.rawValue), \(words)", tx)
        }
        try await context.store.refreshInstallation()
        context.store.signal.send(to: Queue.allCases)
    }

    /// What was written since is nobody's but ours.
    private func countAsSent(before restored: Instant, _ tx: Tx) throws {
        try tx.dropOverdueLetters(now: context.now)
        for id in try tx.subjects(of: .remind, limit: Int(Int32.max)) {
            // The times that have passed are left out: the next look is at the next one.
            try tx.dequeue(.remind(booking: id))
            guard let next = try tx.booking(id)?.nextReminder(after: context.now) else { continue }
            try tx.enqueue([ScheduledJob(.remind(booking: id), due: next)], now: context.now)
        }
        for mail in try tx.waitingMails(limit: Int(Int32.max)) where mail.writtenAt < restored {
            var mail = mail
            (mail.state, mail.maybeDelivered, mail.kept) = (.sent, true, "")
            try tx.update(mail)
            try tx.dequeue(.deliver(mail: mail.id))
            tx.note(
                mail.bookingID, "mail.assumed", "\(mail.kind.rawValue) to \(mail.reader.role): counts as sent, after a restore",
                at: context.now)
        }
        for id in try tx.subjects(of: .planMail, limit: Int(Int32.max)) {
            guard let booking = try tx.booking(id), booking.changedAt < restored else { continue }
            // What they told is not known: no snapshot.
            for (reader, kind) in MailPlan.owed(booking, try tx.mails(of: id)) {
                tx.insert(
                    OutboxMail(
                        id: context.environment.id("ml_"), bookingID: id, revision: booking.revision, reader: reader, kind: kind,
                        messageID: "\(context.environment.code(bits: 128))@\(booking.terms.site.from.domain)", threadID: nil,
                        writtenAt: context.now, state: .sent, maybeDelivered: true))
            }
            try tx.dequeue(.planMail(booking: id))
            tx.note(id, "mail.assumed", "what was owed counts as sent, after a restore", at: context.now)
        }
    }
}
