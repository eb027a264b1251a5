import UsherCore
import UsherMail
import UsherStore

/// Mails a link to the owner of an address that somebody typed. The request for it writes the same and takes as long for every address,
/// so that it tells nobody who is an owner here.
struct MailSignInLink {
    private static let pause = Duration.minutes(1)

    private let context: EngineContext
    init(_ context: EngineContext) { self.context = context }

    func prepare(_ address: String, _ claim: Claim, _ step: StepTransaction) throws -> Effect? {
        let site = context.catalog.current.site
        for stored in try step.tx.owners() where stored.isActive && stored.owner.email.lowercased() == address {
            let subject = AlertSubject.signIn(owner: stored.owner.id)
            if let asked = try step.tx.notice(subject), asked.writtenAt > step.now - Self.pause { continue }
            let notice = Notice(kind: .signIn, site: site, owner: stored.owner)
            try step.tx.save(
                StoredNotice(
                    // Each try of it gets a Message-ID of its own.
                    subject: subject.text, code: notice.kind.rawValue, body: try notice.body, messageID: "", writtenAt: step.now))
            try step.followUp(.signInGranted(owner: stored.owner.id))
        }
        return try step.finish(claim)
    }
}
