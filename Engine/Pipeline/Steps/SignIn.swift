import UsherCore
import UsherMail
import UsherStore

/// Mails a link to the owner of an address that somebody typed. The request for it writes the same and takes as long for every address,
/// so that it tells nobody who is an owner here.
struct SignInStep: Step {
    static let kind = "sign-in"
    private static let pause = Duration.minutes(1)

    private let context: EngineContext
    init(_ context: EngineContext) { self.context = context }

    func prepare(_ claim: Claim, _ step: StepTransaction) throws -> Effect? {
        let site = context.catalog.current.site
        for stored in try step.tx.owners() where stored.isActive && stored.owner.email.lowercased() == claim.subject {
            let subject = NoticeStep.Subject.signIn(owner: stored.owner.id)
            if let asked = try step.tx.notice(subject.text), asked.writtenAt > step.now - Self.pause { continue }
            let notice = Notice(kind: .signIn, site: site, owner: stored.owner)
            try step.tx.save(
                StoredNotice(
                    // Each try of it gets a Message-ID of its own.
                    subject: subject.text, code: notice.kind.rawValue, body: try notice.body, messageID: "", writtenAt: step.now))
            try NoticeStep.enqueue(subject, step.tx, now: step.now, after: .zero)
        }
        try step.tx.finish(claim)
        return nil
    }
}

extension OwnerService {
    private static let longestAddress = 254

    /// Has a sign-in link mailed to the active owner of that address, at most once a minute. It says nothing of whether there is one.
    package func mailSignInLink(to email: String) async throws {
        guard let address = asciiMailAddress(email)?.lowercased(), address.utf8.count <= Self.longestAddress else { return }
        let now = context.now
        try await context.store.write { try $0.enqueue(kind: SignInStep.kind, subject: address, due: now, service: SignInStep.kind) }
    }
}
