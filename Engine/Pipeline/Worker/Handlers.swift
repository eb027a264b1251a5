import UsherCore
import UsherStore

/// Who does which job. One for all steps, which hand it on by reference.
final class Handlers: Sendable {
    private let provisionRooms: ProvisionRooms
    private let planMail = PlanMail()
    private let writeReminders = WriteReminders()
    private let deliverMail: DeliverMail
    private let syncCalendar: SyncCalendar
    private let alertOwner: AlertOwner
    private let mailSignInLink: MailSignInLink
    private let sweepRooms: SweepRooms
    private let refreshGrant: RefreshGrant
    private let revokeGrant: RevokeGrant
    private let deliverWebhook: DeliverWebhook
    private let expireHold: ExpireHold
    private let readCalendar: ReadCalendar
    private let watchCalendar: WatchCalendar
    private let findCalendars: FindCalendars
    private let mailPageForm: MailPageForm
    private let endTest: EndTest
    private let prune: Prune

    init(_ context: EngineContext) {
        provisionRooms = ProvisionRooms(context)
        deliverMail = DeliverMail(context)
        syncCalendar = SyncCalendar(context)
        alertOwner = AlertOwner(context)
        mailSignInLink = MailSignInLink(context)
        sweepRooms = SweepRooms(context)
        refreshGrant = RefreshGrant(context)
        revokeGrant = RevokeGrant(context)
        deliverWebhook = DeliverWebhook(context)
        expireHold = ExpireHold(context)
        readCalendar = ReadCalendar(context)
        watchCalendar = WatchCalendar(context)
        findCalendars = FindCalendars(context)
        mailPageForm = MailPageForm(context)
        endTest = EndTest(context)
        prune = Prune(context)
    }

    /// Inside the transaction of the claim: either the effect to carry out, its intent written, or `nil` after the job has been released
    /// until later or finished.
    func prepare(_ job: Job, _ claim: Claim, _ step: StepTransaction) throws -> Effect? {
        switch job {
        case .provision(let booking): try provisionRooms.prepare(booking, claim, step)
        case .planMail(let booking): try planMail.prepare(booking, claim, step)
        case .remind(let booking): try writeReminders.prepare(booking, claim, step)
        case .deliver(let mail): try deliverMail.prepare(mail, claim, step)
        case .syncCalendar(let booking): try syncCalendar.prepare(booking, claim, step)
        case .alert(let subject): try alertOwner.prepare(subject, claim, step)
        case .mailSignInLink(let address): try mailSignInLink.prepare(address, claim, step)
        case .sweep(let provider, let owner, let host):
            try sweepRooms.prepare(provider: provider, owner: owner, host: host, claim, step)
        case .refreshGrant(let owner, let provider): try refreshGrant.prepare(owner: owner, provider: provider, claim, step)
        case .revokeGrant(let revocation): try revokeGrant.prepare(revocation, claim, step)
        case .readCalendar(let id): try readCalendar.prepare(id, claim, step)
        case .watchCalendar(let id): try watchCalendar.prepare(id, claim, step)
        case .findCalendars(let owner, let provider): try findCalendars.prepare(owner: owner, provider: provider, claim, step)
        case .mailPageForm(let id): try mailPageForm.prepare(id, claim, step)
        case .endTest(let booking): try endTest.prepare(booking, claim, step)
        case .prune: try prune.prepare(claim, step)
        case .expireHold(let hold): try expireHold.prepare(hold, claim, step)
        case .deliverWebhook(let id, let subject): try deliverWebhook.prepare(id, subject, claim, step)
        }
    }
}
