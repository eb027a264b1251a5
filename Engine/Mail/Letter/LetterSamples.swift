import UsherCore

/// Letters about a made-up booking, one of each kind and state: what `usher preview` shows.
package struct LetterSamples: Sendable {
    private let type: MeetingType
    private let owner: Owner
    package var site: Site
    private let link: Terms.Link
    private let room: Room
    private let publicURL: String
    private let now: Instant

    /// What a letter can be about.
    package enum Kind: String, CaseIterable, Sendable {
        case confirmation
        /// The room is not there yet.
        case late
        /// The meeting was moved to another time.
        case moved
        /// Link or passcode are others now.
        case changed
        case cancellation, reminder
        /// Letters to the owner.
        case connection, problem, undelivered, remains
        case signIn = "sign-in"

        package var isForOwnerAlone: Bool { notice != nil }

        fileprivate var notice: Notice.Kind? {
            switch self {
            case .connection: .connection
            case .problem: .booking
            case .undelivered: .undelivered
            case .remains: .remains
            case .signIn: .signIn
            default: nil
            }
        }

        fileprivate var letter: MailKind {
            switch self {
            case .moved, .changed: .update
            case .cancellation: .cancellation
            case .reminder: .reminder
            default: .confirmation
            }
        }
    }

    /// - Parameters:
    ///   - link: the provider that would hold the room.
    ///   - now: the meeting is a week later.
    package init(type: MeetingType, owner: Owner, site: Site, link: Terms.Link, room: Room, publicURL: String, now: Instant) {
        self.type = type
        self.owner = owner
        self.site = site
        self.link = link
        self.room = room
        self.publicURL = publicURL
        self.now = now
    }

    /// A made-up room that shows as much as rooms of this provider can.
    package static func room(_ entry: ProviderEntry?, _ capabilities: Set<ProviderDescriptor.Capability>) -> Room {
        let template = entry?.settings["url"]?.string ?? "https://\(entry?.module ?? "meet").example/j/{code}"
        let hasPasscode = capabilities.contains(.passcode)
        let pin = hasPasscode ? "482913" : nil
        let hasID = hasPasscode && capabilities.contains(.schedule)
        return Room(
            joinURL: template.replacing("{code}", with: "85012345678"), meetingID: hasID ? "85012345678" : "", passcode: pin,
            dialIn: capabilities.contains(.dialIn)
                ? [
                    DialIn(country: "DE", number: "+49 30 5679 5800", pin: pin, city: "Berlin", meetingID: hasID ? "85012345678" : nil),
                    DialIn(country: "US", number: "+1 646 558 8656", pin: pin, city: "New York", meetingID: hasID ? "85012345678" : nil),
                    DialIn(country: "FR", number: "+33 1 7037 2246", pin: pin, meetingID: hasID ? "85012345678" : nil),
                    DialIn(country: "ES", number: "+34 91 787 0058", pin: pin, meetingID: hasID ? "85012345678" : nil),
                    DialIn(country: "GB", number: "+44 330 088 5830", pin: pin, tollFree: true, meetingID: hasID ? "85012345678" : nil),
                    DialIn(country: "JP", number: "+81 3 4578 1488", pin: pin, meetingID: hasID ? "85012345678" : nil),
                ] : [])
    }

    /// The parts of a letter, and the whole of it.
    package func render(
        _ kind: Kind, to reader: Reader, language: String, timeZone: String, _ renderer: MailRenderer
    ) -> (parts: MailRenderer.Parts, mail: OutgoingMail) {
        if let notice = kind.notice {
            let notice = self.notice(notice, language: language, timeZone: timeZone)
            let mail = renderer.mail(notice, id: "preview", messageID: "preview@usher.example", writtenAt: now)
            return (renderer.parts(notice), mail)
        }
        let letter = self.letter(kind, to: reader, language: language, timeZone: timeZone)
        return (renderer.parts(letter), renderer.mail(letter))
    }

    private func owner(_ language: String, _ timeZone: String) -> Owner {
        var owner = owner
        (owner.language, owner.timeZone) = (language, timeZone)
        return owner
    }

    private func letter(_ kind: Kind, to reader: Reader, language: String, timeZone: String) -> Letter {
        let start = Instant(seconds: (now.seconds / 86_400 + 7) * 86_400 + 9 * 3_600)
        let end = start + (type.durations.first ?? .minutes(30))
        let isOwner = reader == .owner
        let guest = Attendee(
            name: "Bo Li", email: "bo@example.org", timeZone: isOwner ? "America/New_York" : timeZone, language: isOwner ? "en" : language)
        let terms = Terms(
            type: type, owner: isOwner ? owner(language, timeZone) : owner, site: site, chain: [link], because: .ownerDefault)
        let booking = Booking(
            id: "bk_preview", status: kind == .cancellation ? .cancelled : .confirmed, revision: kind.letter == .confirmation ? 1 : 2,
            start: start, end: end, timeZone: owner.timeZone, attendees: [guest], details: BookingDetails(note: "First visit."),
            terms: terms,
            meeting: Meeting(
                status: kind == .late ? .pending : .ready, provider: link.provider, module: link.module, because: .ownerDefault,
                room: kind == .late ? nil : room), changedAt: now, createdAt: now)
        return Letter(
            booking: booking, reader: reader, kind: kind.letter, outboxID: "ml_preview", messageID: "preview@usher.example",
            threadID: kind.letter == .confirmation ? nil : "first@usher.example", writtenAt: now, joinPage: "\(publicURL)/join/preview",
            managePage: isOwner ? nil : "\(publicURL)/manage/preview", previous: previous(kind, booking))
    }

    private func previous(_ kind: Kind, _ booking: Booking) -> MailSnapshot? {
        var told = MailSnapshot(booking)
        switch kind {
        case .moved: (told.start, told.end) = (told.start - .days(1), told.end - .days(1))
        case .changed: told.room = "another"
        default: return nil
        }
        return told
    }

    private func notice(_ kind: Notice.Kind, language: String, timeZone: String) -> Notice {
        let start = Instant(seconds: (now.seconds / 86_400 + 7) * 86_400 + 9 * 3_600)
        let problem: Problem? =
            switch kind {
            case .connection: Problem(.reauthorize, "Zoom has ended the connection.", remedy: "Connect again.")
            case .booking: Problem(.plan, "The account's plan does not allow this.", remedy: "Ask the account's administrator.")
            case .calendar: Problem(.hostUnknown, "CalDAV has no calendar at this address (HTTP 404).", remedy: "Connect it again.")
            case .signIn, .undelivered, .remains, .confirm: nil
            }
        return Notice(
            kind: kind, site: site, owner: owner(language, timeZone), service: "Zoom",
            account: kind == .undelivered ? "bo@example.org" : owner.email, problem: problem,
            detail: kind == .undelivered ? "550 5.1.1 no such user" : kind == .remains ? "zoom: 85012345678" : "",
            meeting: .init(title: "Consultation", start: start, end: start + .minutes(30)), waiting: 2,
            url: publicURL + (kind == .signIn ? "/owners/signin/preview" : "/owners/me"))
    }
}
