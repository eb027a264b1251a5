import Logging
import UsherCore
import UsherStore

/// Finds the calendars behind an account that an owner has connected, where the grant lets them be read; again each day, since their
/// owner makes and removes some.
struct FindCalendars {
    private let context: EngineContext
    private let reader: BusyReader

    private static let interval = Duration.days(1)

    init(_ context: EngineContext) {
        self.context = context
        reader = BusyReader(context: context)
    }

    func prepare(owner: String, provider: String, _ claim: Claim, _ step: StepTransaction) throws -> Effect? {
        guard let connection = try step.tx.connection(owner: owner, provider: provider), let source = context.busySource(for: connection)
        else { return try step.finish(claim) }
        let deadline = step.deadline
        return Effect(provider: provider, about: ["owner": "\(owner)"]) { [reader, context] in
            do throws(ProviderError) {
                let found = try await source.calendars(try await reader.call(owner: owner, provider: provider, deadline: deadline))
                return { step in
                    // Nobody ends the connection, and takes its calendars out, before these are in.
                    _ = try step.tx.lockOwner(owner)
                    guard try step.tx.lockConnection(owner: owner, provider: provider)?.account.id == connection.account.id else {
                        return .lookAgain
                    }
                    var template = StoredCalendar(
                        id: "", ownerID: owner, kind: source.descriptor.kind, account: connection.account.email, remoteID: nil, name: "",
                        counts: true, createdAt: step.now)
                    template.provider = provider
                    try CalendarService(context).add(found, like: template, isWaitedFor: false, step.tx, now: step.now)
                    return .sleep(until: step.now + Self.interval)
                }
            } catch {
                context.logger.warning(
                    "an owner's calendars could not be looked for",
                    metadata: ["owner": "\(owner)", "provider": "\(provider)", "reason": "\(error.message)", "cause": "\(error.cause)"])
                let wait = RetryPolicy.busyCalendar.delay(afterFailures: claim.attempt + 1, context.environment)
                return { step in .rest(until: step.now + (error.retry == .never ? max(wait, .hours(1)) : wait)) }
            }
        }
    }
}

extension EngineContext {
    /// What reads the calendars of a connection, where its grant allows that.
    func busySource(for connection: StoredConnection) -> (any BusySource.Type)? {
        busySources.first { source in
            guard case .account(let module, let scopes, _) = source.descriptor.connection else { return false }
            return module == connection.module && !Set(scopes).isDisjoint(with: connection.scopes)
        }
    }
}
