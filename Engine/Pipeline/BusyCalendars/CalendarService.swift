import Logging
import Foundation
import UsherCore
import UsherStore
import UsherVault

/// Where owners' calendars are connected, chosen and given up.
package struct CalendarService: Sendable {
    private let context: EngineContext

    /// So many calendars has an owner at most.
    private static let most = 40
    /// With so many, no more of those come in by themselves that do not count.
    private static let mostToLookAt = 30
    /// Of an address; and of a name or a password.
    package static let (longestURL, longestName) = (2_000, 200)
    /// While the caller waits.
    private static let patience = Duration.seconds(15)

    package init(_ context: EngineContext) { self.context = context }

    /// A calendar with an address of its own, as a caller gives it.
    package struct Request: Sendable {
        /// ``BusySourceDescriptor/kind``
        package var kind: String
        /// Where the calendar, or the account, is.
        package var url: String
        /// Empty where the kind needs none.
        package var user: String
        /// Empty where the kind needs none.
        package var password: Secret

        /// Takes each property as it is.
        package init(kind: String, url: String, user: String = "", password: Secret = Secret("")) {
            self.kind = kind
            self.url = url
            self.user = user
            self.password = password
        }
    }

    /// Every kind of calendar.
    package var kinds: [String] { context.busySources.map { $0.descriptor.kind } }

    /// Whether an owner agrees at the service to connect calendars of that kind.
    package func needsConsent(_ kind: String) -> Bool {
        guard case .account? = BusyReader(context: context).source(kind)?.descriptor.connection else { return false }
        return true
    }

    /// In the order in which they were connected.
    package func list(of owner: String) async throws -> [ShownCalendar] {
        let (rules, now) = (context.catalog.current.busy, context.now)
        return try await context.store.read { try $0.calendars(of: owner) }.map { ShownCalendar($0, rules, now: now) }
    }

    /// Connects what is behind an address. A service that does not answer is asked again in the background.
    /// - Returns: the calendars there; one for a feed.
    /// - Throws: ``ErrorCode/validationFailed`` where the service refuses the address or the credentials.
    package func connect(
        _ request: Request, owner: String, repeating key: IdempotencyKey? = nil
    ) async throws -> IdempotentResult<[ShownCalendar]> {
        let source = try source(request)
        let credentials = CalendarCredentials(address: request.url, user: request.user, password: request.password.reveal())
        let host = URL(string: request.url)?.host() ?? ""
        var template = StoredCalendar(
            id: context.environment.id("cal_"), ownerID: owner, kind: request.kind,
            account: request.user.contains("@") ? request.user : host, remoteID: nil, name: "", counts: true, createdAt: context.now)
        template.sealed = try context.vault.seal(value: credentials, context: StoredCalendar.context(template.id))
        let (rules, now, made) = (context.catalog.current.busy, context.now, template)
        let answer: Result<[FoundCalendar], ProviderError>
        do throws(ProviderError) {
            let call = BusyReader(context: context).call(credentials, request.kind, deadline: now + Self.patience)
            answer = .success(try await source.calendars(call))
        } catch { answer = .failure(error) }
        if case .failure(let error) = answer, error.retry == .never {
            throw UsherError(.validationFailed, "\(error.message) \(error.remedy)", findings: [.init("/url", "cannot be read")])
        }
        return IdempotentResult(
            try await context.store.write { tx in
                func shown(_ calendars: [StoredCalendar]) -> [ShownCalendar] { calendars.map { ShownCalendar($0, rules, now: now) } }
                return try context.idempotent(
                    key, tx, now: now, replay: { try shown($0.split(separator: " ").compactMap { try tx.calendar(String($0)) }) }
                ) {
                    let calendars =
                        switch answer {
                        case .success(let found): try add(found, like: made, isWaitedFor: true, tx, now: now)
                        case .failure(let error): [try add(Self.waiting(made, source.descriptor, error), tx, now: now)]
                        }
                    return (shown(calendars), calendars.map(\.id).joined(separator: " "))
                }
            })
    }

    /// One whose service did not answer. Of a feed it is known that it is one calendar.
    private static func waiting(_ made: StoredCalendar, _ source: BusySourceDescriptor, _ error: ProviderError) -> StoredCalendar {
        var waiting = made
        if case .address = source.connection { waiting.remoteID = "" }
        waiting.problem = error.problem
        return waiting
    }

    private func source(_ request: Request) throws -> any BusySource.Type {
        guard let source = BusyReader(context: context).source(request.kind) else {
            throw UsherError(
                .validationFailed, "No calendars are connected like that.",
                findings: [.init("/kind", "must be one of: \(kinds.joined(separator: ", "))")])
        }
        var findings: [UsherError.Finding] = []
        if request.url.isEmpty { findings.append(.init("/url", "is required")) }
        let texts = [
            ("url", request.url, Self.longestURL), ("user", request.user, Self.longestName),
            ("password", request.password.reveal(), Self.longestName),
        ]
        for (name, text, limit) in texts where text.unicodeScalars.count > limit {
            findings.append(.init("/\(name)", "must have at most \(limit) characters"))
        }
        if case .password = source.descriptor.connection {
            if request.user.isEmpty { findings.append(.init("/user", "is required")) }
            if request.password.reveal().isEmpty { findings.append(.init("/password", "is required")) }
        }
        guard findings.isEmpty else { throw UsherError(.validationFailed, "The calendar cannot be connected.", findings: findings) }
        return source
    }

    /// What an owner opens to connect an account's calendars.
    /// - Throws: ``ErrorCode/validationFailed`` where no provider of the catalogue leads there.
    package func authorize(
        _ kind: String, owner: String, returnTo: String = "", session: Secret? = nil, repeating key: IdempotencyKey? = nil
    ) async throws -> IdempotentResult<Consents.Begun> {
        guard case .account(let module, _, let asks)? = BusyReader(context: context).source(kind)?.descriptor.connection else {
            throw UsherError(.validationFailed, "Nobody agrees to anything for '\(kind.prefix(40))'.")
        }
        guard let entry = context.catalog.current.providers.first(where: { $0.module == module }) else {
            throw UsherError(
                .validationFailed,
                "No provider in meeting-types.yaml has 'module: \(module)', which leads to these calendars. The admin adds one; rooms need not be made there."
            )
        }
        return try await Consents(context).begin(
            owner: owner, provider: entry.name, returnTo: returnTo, session: session, scopes: asks, repeating: key)
    }

    /// Chooses whether a calendar makes its owner busy.
    package func setCounts(_ counts: Bool, calendar id: String, owner: String) async throws -> ShownCalendar {
        let (rules, now) = (context.catalog.current.busy, context.now)
        return try await context.store.write { tx in
            _ = try tx.lockOwner(owner)
            guard var calendar = try tx.calendar(id), calendar.ownerID == owner else { throw Self.notFound(id) }
            _ = try tx.setCounts(counts, calendar: id)
            calendar.counts = counts
            try tx.enqueue(followUps(of: .calendarChosen(calendar), now: now), now: now)
            try context.audit("calendar.choose", "\(owner)/\(id)", tx)
            return ShownCalendar(calendar, rules, now: now)
        }
    }

    /// Forgets a calendar, with all that is known of it.
    package func remove(_ id: String, owner: String) async throws {
        try await context.store.write { tx in
            _ = try tx.lockOwner(owner)
            guard let calendar = try tx.calendar(id), calendar.ownerID == owner else { throw Self.notFound(id) }
            _ = try tx.removeCalendar(id)
            try tx.enqueue(followUps(of: .calendarChosen(calendar), now: context.now), now: context.now)
            try tx.removeNotice(.calendar(id))
            try context.audit("calendar.remove", "\(owner)/\(id)", tx)
        }
    }

    private static func notFound(_ id: String) -> UsherError { UsherError(.notFound, "There is no calendar '\(id.prefix(80))'.") }

    // MARK: Inside a transaction

    /// Adds the calendars that were found behind an address or an account, beside those that are known; of an account, those that are not
    /// there any more are forgotten.
    /// - Parameters:
    ///   - template: one of them, without its own name.
    ///   - isWaitedFor: whether somebody is told where they are too many; else those that count come in first.
    /// - Throws: ``ErrorCode/validationFailed`` for too many, where somebody waits.
    @discardableResult
    func add(
        _ found: [FoundCalendar], like template: StoredCalendar, isWaitedFor: Bool, _ tx: Tx, now: Instant
    ) throws -> [StoredCalendar] {
        // Two who connect the same at once come one after the other; and so does whoever books.
        _ = try tx.lockOwner(template.ownerID)
        let known = try tx.calendars(of: template.ownerID).filter {
            $0.kind == template.kind && $0.provider == template.provider && $0.account == template.account && $0.remoteID != nil
        }
        let isAccount = !template.provider.isEmpty
        if isAccount {
            let others = try tx.calendars(of: template.ownerID).filter {
                $0.provider == template.provider && $0.account != template.account
            }
            // One that counts is not forgotten without a word: it cannot be read, and its owner hears of that.
            let gone = known.filter { calendar in !calendar.counts && !found.contains { $0.id == calendar.remoteID } }
            for calendar in others + gone { _ = try tx.removeCalendar(calendar.id) }
        }
        func present(_ one: FoundCalendar) throws -> StoredCalendar? {
            try known.first { try $0.remoteID == one.id && (isAccount || isSamePlace($0, template)) }
        }
        let new = try found.filter { try present($0) == nil }
        let taken =
            isWaitedFor
            ? Set(new.map(\.id)) : fitting(new, beside: try tx.calendars(of: template.ownerID).count, template.ownerID)
        let left = Set(new.map(\.id)).subtracting(taken)
        return try found.filter { !left.contains($0.id) }.map { one in
            if let present = try present(one) {
                guard isAccount else { return try reconnected(present, template, tx, now: now) }
                // Its owner may have allowed more than before.
                try tx.enqueue(followUps(of: .calendarChosen(present), now: now), now: now)
                return present
            }
            var calendar = template
            calendar.id = context.environment.id("cal_")
            (calendar.remoteID, calendar.name, calendar.counts) = (
                one.id, String(one.name.filter { !$0.isNewline }.prefix(200)), one.counts
            )
            if !isAccount { calendar.sealed = try resealed(template, for: calendar.id) }
            return try add(calendar, tx, now: now)
        }
    }

    /// What of an account's new calendars comes in where nobody waits for an answer: those that count, as many as there is place for; then
    /// others, which leave places for what may come.
    private func fitting(_ new: [FoundCalendar], beside count: Int, _ owner: String) -> Set<String> {
        let counting = new.filter(\.counts).prefix(max(Self.most - count, 0))
        let others = new.filter { !$0.counts }.prefix(max(Self.mostToLookAt - count - counting.count, 0))
        let left = new.count - counting.count - others.count
        if left > 0 {
            context.logger.warning(
                "an owner's account has more calendars than can be kept; those that do not count are left out first",
                metadata: ["owner": "\(owner)", "left out": "\(left)"])
        }
        return Set((counting + others).map(\.id))
    }

    @discardableResult
    private func add(_ calendar: StoredCalendar, _ tx: Tx, now: Instant) throws -> StoredCalendar {
        guard try tx.owner(calendar.ownerID)?.isActive == true else {
            throw UsherError(.notFound, "No active owner is called '\(calendar.ownerID.prefix(80))'.")
        }
        guard try tx.calendars(of: calendar.ownerID).count < Self.most else {
            throw UsherError(.validationFailed, "An owner has at most \(Self.most) calendars. Remove one first.")
        }
        try tx.add(calendar)
        try context.audit("calendar.connect", "\(calendar.ownerID)/\(calendar.id)", tx)
        try tx.enqueue(followUps(of: .calendarAdded(calendar), now: now), now: now)
        return calendar
    }

    private func credentials(_ calendar: StoredCalendar) throws -> CalendarCredentials {
        try context.vault.open(CalendarCredentials.self, calendar.sealed, context: StoredCalendar.context(calendar.id))
    }
    /// Of an account with a name, its calendars are the same under another password; a feed is its address.
    private func isSamePlace(_ one: StoredCalendar, _ other: StoredCalendar) throws -> Bool {
        let (mine, theirs) = (try credentials(one), try credentials(other))
        return mine.user == theirs.user && (!mine.user.isEmpty || mine == theirs)
    }
    /// One that was known, perhaps under another password.
    private func reconnected(_ known: StoredCalendar, _ template: StoredCalendar, _ tx: Tx, now: Instant) throws -> StoredCalendar {
        guard try credentials(known) != credentials(template) else { return known }
        var present = known
        (present.sealed, present.problem, present.mark) = (try resealed(template, for: known.id), nil, nil)
        try tx.reconnect(present)
        try context.audit("calendar.connect", "\(present.ownerID)/\(present.id)", tx)
        try tx.enqueue(followUps(of: .calendarAdded(present), now: now), now: now)
        return present
    }
    private func resealed(_ calendar: StoredCalendar, for id: String) throws -> String {
        try context.vault.seal(value: credentials(calendar), context: StoredCalendar.context(id))
    }
}
