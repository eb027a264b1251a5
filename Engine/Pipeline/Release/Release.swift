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

    /// - Throws: ``ErrorCode/bookingConflict`` where nothing is held.
    package func run(as role: Role) async throws {
        try await context.store.write { [context] tx in
            var installation = try tx.presentInstallation()
            guard let hold = installation.hold else {
                throw UsherError(.validationFailed, "Nothing is held: work goes on already.")
            }
            switch role {
            case .original(.send): break
            case .original(.drop): try countAsSent(tx)
            case .copy:
                try tx.cutOff()
                let fresh = Installation(random: context.environment.random)
                (installation.id, installation.secret, installation.epoch) = (fresh.id, fresh.secret, fresh.epoch)
                (installation.formerEpoch, installation.restoredAt) = ("", .epoch)
            }
            installation.hold = nil
            try tx.save(installation)
            let words = if case .original(let mail) = role { "original, old mail: \(mail.rawValue)" } else { "copy" }
            try context.audit("installation.released", "\(hold.rawValue), \(words)", tx)
        }
        try await context.store.refreshInstallation()
        context.store.signal.send(to: Queue.allCases)
    }

    private func countAsSent(_ tx: Tx) throws {
        for mail in try tx.waitingMails(limit: Int(Int32.max)) {
            var mail = mail
            (mail.state, mail.maybeDelivered, mail.kept) = (.sent, true, "")
            try tx.update(mail)
            try tx.dequeue(.deliver(mail: mail.id))
            tx.note(
                mail.bookingID, "mail.assumed", "\(mail.kind.rawValue) to \(mail.reader.role): counts as sent, after a restore",
                at: context.now)
        }
        for id in try tx.subjects(of: .planMail, limit: Int(Int32.max)) {
            guard let booking = try tx.booking(id) else { continue }
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
