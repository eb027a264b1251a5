import Logging
import UsherCore
import UsherMail
import UsherStore
import UsherVault

/// Mails a guest the link that proves their address. It says no more than what was asked for: whoever typed the address may be a stranger.
struct MailPageForm {
    private let context: EngineContext

    init(_ context: EngineContext) { self.context = context }

    func prepare(_ id: String, _ claim: Claim, _ step: StepTransaction) throws -> Effect? {
        guard let stored = try step.tx.pageForm(id), stored.state == .waiting, step.now < stored.expiresAt,
            let hold = try step.tx.hold(stored.holdID), hold.bookingID == nil, let owner = try step.tx.owner(hold.ownerID)
        else { return try step.finish(claim) }
        let sealed = try SealedForm.open(stored, context.vault)
        let (site, form) = (context.catalog.current.site, sealed.form)
        let title = Placeholders.fill(hold.type.spoken(in: form.language).title, ["owner.name": owner.owner.name, "site.name": site.name])
        let notice = Notice(
            kind: .confirm, site: site,
            owner: Owner(id: "", name: form.name, email: form.email, timeZone: form.timeZone, language: form.language),
            meeting: .init(title: title, start: hold.start, end: hold.end),
            url: "\(context.settings.publicURL)/book/confirm/\(sealed.token)")
        let (deadline, messageID) = (step.deadline, "\(id)@\(site.from.domain)")
        return Effect { [context] in
            let mail = context.renderer.mail(notice, id: id, messageID: messageID, writtenAt: stored.createdAt)
            let outcome = await context.mailer.deliver(mail, within: deadline - context.now)
            context.meters.count(.mails, ["outcome": outcome.name])
            switch outcome {
            case .accepted: return { step in .sleep(until: stored.expiresAt) }
            case .refused(let reason):
                context.logger.warning("a guest's address was refused", metadata: ["form": "\(id)", "reason": "\(reason)"])
                return { step in .sleep(until: stored.expiresAt) }
            case .later, .unclear:
                return { step in .rest(until: step.now + RetryPolicy.mail.delay(afterFailures: claim.attempt + 1, step.context.environment))
                }
            }
        }
    }
}
