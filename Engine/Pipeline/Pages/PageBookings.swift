import UsherCore
import UsherStore
import UsherVault

/// How guests book on a page, without a key: a time is held while they fill in a form, and the form is taken under limits.
package struct PageBookings: Sendable {
    private let context: EngineContext
    private let service: BookingService

    /// A guest has so long to press the link of the mail.
    package static let confirmation = Duration.minutes(30)
    /// Forms that are taken from one visitor in an hour, and with one mail address in a day.
    private static let (mostOfAddress, mostOfMail) = (Int64(5), Int64(3))
    private static let memory = Duration.days(2)

    package init(_ context: EngineContext, _ service: BookingService) {
        self.context = context
        self.service = service
    }

    /// What a page offers: a meeting type, with one owner or with whoever hosts it.
    package struct Offer: Sendable {
        /// With slots.
        package var type: MeetingType
        /// How it is offered.
        package var page: BookingPage
        /// `nil` for the hosts of the meeting type.
        package var owner: Owner?

        /// Takes each property as it is.
        package init(type: MeetingType, page: BookingPage, owner: Owner?) {
            self.type = type
            self.page = page
            self.owner = owner
        }
    }

    /// Whoever is at a page.
    package struct Visitor: Sendable {
        /// Random, of the browser; or of one request, where there is none. Whoever knows it has what is held for the visitor.
        package var id: String
        /// The network address, or the network of one customer.
        package var address: String
        /// Takes each property as it is.
        package init(id: String, address: String) {
            self.id = id
            self.address = address
        }
        /// Shown to admins, so not the id.
        var holder: String { "visitor:" + Vault.hash(id.utf8).prefix(26) }
    }

    /// What a page at these names offers; `nil` where there is none.
    package func offer(_ type: String, owner: String?) async throws -> Offer? {
        let catalog = context.catalog.current
        guard let type = catalog.meetingType(type), let page = type.page, type.slots != nil else { return nil }
        guard let owner else { return type.hosts == nil ? nil : Offer(type: type, page: page, owner: nil) }
        let isHost = type.hosts.map { $0.contains { $0.owner == owner } } ?? true
        guard isHost, let stored = try await context.store.read({ try $0.owner(owner, in: catalog) }), stored.isActive else { return nil }
        return Offer(type: type, page: page, owner: stored.owner)
    }

    /// The pages that whoever comes is shown.
    package var listed: [MeetingType] {
        context.catalog.current.meetingTypes.filter { $0.page?.listing == .listed && $0.hosts != nil && $0.slots != nil }
    }

    /// Keeps a time for a visitor, in place of the one that was kept for them before.
    package func hold(_ offer: Offer, start: String, duration: String?, _ visitor: Visitor) async throws -> StoredHold {
        try await Actor.acting(visitor.holder) {
            try await HoldService(context).hold(
                HoldRequest(meetingType: offer.type.id, owner: offer.owner?.id, start: start, duration: duration),
                visitorAt: visitor.address)
        }
    }

    /// The time of what is offered that is kept for a visitor, booked or not.
    package func held(_ id: String, _ offer: Offer, _ visitor: Visitor) async throws -> StoredHold? {
        try await context.store.read { try $0.hold(id) }.flatMap { hold in
            let isOffered = hold.type.id == offer.type.id && (offer.owner.map { $0.id == hold.ownerID } ?? true)
            return hold.holder == visitor.holder && isOffered ? hold : nil
        }
    }

    /// What became of a form.
    package enum Outcome: Sendable {
        /// A booking, at once.
        case booked(BookingView)
        /// The guest is to press the link of a mail, until then.
        case mailed(until: Instant)
    }

    /// Takes a form for a time that ``held(_:_:_:)`` has found, under the rules of the page as they were when it was held.
    /// - Throws: ``ErrorCode/validationFailed`` with all that is wrong, ``ErrorCode/rateLimited``, ``ErrorCode/holdExpired``.
    package func submit(_ form: PageForm, _ hold: StoredHold, _ visitor: Visitor) async throws -> Outcome {
        if let booking = hold.bookingID { return .booked(try await service.view(booking)) }
        let request = form.request(hold.id)
        try await check(request, name: form.name)
        let id = context.environment.id("pf_")
        let token = context.environment.code(bits: 160)
        let needsProof = hold.type.page?.confirmsByMail ?? true
        let sealed =
            needsProof ? try context.vault.seal(value: SealedForm(form: form, token: token), context: StoredPageForm.context(id)) : ""
        let now = context.now
        let end = min(now + Self.confirmation, hold.start)
        let stored = StoredPageForm(
            id: id, tokenHash: needsProof ? Vault.hash(token.utf8) : "", holdID: hold.id, type: hold.type.id, address: visitor.address,
            mail: Vault.hash(form.mailbox.utf8), sealed: sealed, state: needsProof ? .waiting : .booked, expiresAt: end, createdAt: now)
        let before = try await context.store.write { [context] tx -> StoredPageForm? in
            // Nobody takes the time while it is kept for longer.
            _ = try tx.lockOwner(hold.ownerID)
            try tx.lockPageForms()
            if let before = try tx.waitingPageForm(ofHold: hold.id) {
                // Sent twice: the first mail is under way.
                if before.mail == stored.mail, before.expiresAt > now { return before }
                try tx.replace(pageForm: before.id)
            }
            try refuseMany(stored, tx)
            if needsProof {
                guard try tx.extend(hold: hold.id, to: end, now: context.now) else {
                    throw UsherError(.holdExpired, "The time was kept for a while, which is over: choose it again.")
                }
                try tx.enqueue(followUps(of: .pageFormTaken(stored), now: now), now: now)
            }
            try tx.add(stored, forgetting: now - Self.memory)
            return nil
        }
        guard !needsProof else { return .mailed(until: before?.expiresAt ?? end) }
        return .booked(try await book(request, for: id, visitor))
    }

    private func book(_ request: BookingRequest, for form: String, _ visitor: Visitor) async throws -> BookingView {
        let booked: BookingView
        do {
            booked = try await Actor.acting(visitor.holder) { try await service.book(request).value }
        } catch let error as UsherError {
            // Nothing came of it: it does not count.
            try await context.store.write { try $0.remove(pageForm: form) }
            // Pressed twice at once: the other press has booked it.
            guard error.code == .holdExpired, let hold = request.hold,
                let booking = try await context.store.read({ try $0.hold(hold) })?.bookingID
            else { throw error }
            return try await service.view(booking)
        }
        try await context.store.write { try $0.book(pageForm: form, as: booked.booking.id) }
        return booked
    }

    /// - Throws: ``ErrorCode/validationFailed``, with what a page asks for beside.
    private func check(_ request: BookingRequest, name: String) async throws {
        let missing = name.isEmpty ? [UsherError.Finding("/attendees/0/name", "is required")] : []
        do { _ = try await service.dryRun(request) } catch var error as UsherError where error.code == .validationFailed {
            error.findings = missing + error.findings
            throw error
        }
        if !missing.isEmpty { throw UsherError(.validationFailed, "The booking cannot be made as it is written.", findings: missing) }
    }

    private func refuseMany(_ form: StoredPageForm, _ tx: Tx) throws {
        let now = form.createdAt
        guard try tx.pageForms(ofAddress: form.address, since: now - .hours(1)) < Self.mostOfAddress,
            try tx.pageForms(ofMail: form.mail, since: now - .days(1)) < Self.mostOfMail
        else { throw UsherError(.rateLimited, "Too many bookings were asked for from here, or with this address. Try again later.") }
    }

    // MARK: The mail's link

    /// A form that waits for its guest, or is booked.
    package struct Waiting: Sendable {
        /// What became of it.
        package var stored: StoredPageForm
        /// `nil` once it is booked.
        package var form: PageForm?
        /// The time that is kept for it, or was.
        package var hold: StoredHold
        /// The guest's language and zone, where the booking says them by now.
        package var guest: (language: String, timeZone: String)?
    }

    /// What a mail's link leads to; `nil` where it leads nowhere.
    package func waiting(_ token: String) async throws -> Waiting? {
        let found = try await context.store.read { tx -> (StoredPageForm, StoredHold)? in
            guard let stored = try tx.pageForm(tokenHash: Vault.hash(token.utf8)), let hold = try tx.hold(stored.holdID) else { return nil }
            return (stored, hold)
        }
        guard let (stored, hold) = found else { return nil }
        let form = stored.sealed.isEmpty ? nil : try SealedForm.open(stored, context.vault).form
        var waiting = Waiting(stored: stored, form: form, hold: hold)
        if let booking = stored.bookingID, let guest = try await context.store.read({ try $0.booking(booking) })?.attendees.first {
            waiting.guest = (guest.language, guest.timeZone)
        } else {
            waiting.guest = form.map { ($0.language, $0.timeZone) }
        }
        return waiting
    }

    /// The guest has pressed: the booking is made, once.
    /// - Throws: ``ErrorCode/holdExpired`` where the time is over and taken.
    package func confirm(_ waiting: Waiting) async throws -> BookingView {
        if let booking = waiting.stored.bookingID ?? waiting.hold.bookingID { return try await service.view(booking) }
        guard let form = waiting.form else { throw UsherError(.notFound, "This link was used.") }
        let booked: BookingView
        do {
            booked = try await Actor.acting(waiting.hold.holder) { try await service.book(form.request(waiting.hold.id)).value }
        } catch let error as UsherError where error.code == .holdExpired {
            // Pressed twice at once: the other press has booked it.
            guard let booking = try await context.store.read({ try $0.hold(waiting.hold.id) })?.bookingID else { throw error }
            return try await service.view(booking)
        }
        try await context.store.write { try $0.book(pageForm: waiting.stored.id, as: booked.booking.id) }
        return booked
    }
}

/// A form with the token of its link, as it is sealed for the database.
struct SealedForm: Codable {
    var form: PageForm
    var token: String

    static func open(_ stored: StoredPageForm, _ vault: Vault) throws(UsherError) -> SealedForm {
        try vault.open(SealedForm.self, stored.sealed, context: StoredPageForm.context(stored.id))
    }
}
