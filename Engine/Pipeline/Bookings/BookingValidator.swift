import Foundation
import UsherCore

/// Checks a request against the catalogue and turns it into a booking that is not stored yet. All findings come at once.
struct BookingValidator {
    private let catalog: Catalog
    private let now: Instant
    private var findings: [UsherError.Finding]

    /// Nothing is booked further ahead.
    private static let horizon = Duration.days(5 * 365)

    /// - Parameter findings: what is known to be wrong already; nothing more is said of those fields.
    init(_ catalog: Catalog, now: Instant, findings: [UsherError.Finding] = []) {
        self.catalog = catalog
        self.now = now
        self.findings = findings
    }

    struct Draft {
        var booking: Booking
        var resolution: Resolution
    }

    mutating func draft(
        _ request: BookingRequest, owner: StoredOwner?, known owners: [String] = [], id: String,
        readinessProblem: (ProviderEntry) -> Problem?
    ) throws(UsherError) -> Draft {
        let type = catalog.meetingType(request.meetingType)
        if type == nil { find("/meetingType", unknown("meeting type", request.meetingType, catalog.meetingTypes.map(\.id))) }
        if request.owner.isEmpty, owner == nil {
            find("/owner", "is required")
        } else if owner?.isActive != true {
            find("/owner", owner == nil ? unknown("owner", request.owner, owners) : "this owner is not active any more")
        }
        checkHost(request.owner, type)
        let zoneName = request.timeZone ?? owner?.owner.timeZone ?? catalog.site.timeZone
        let zone = self.zone(zoneName, "/timeZone")
        let start = self.start(request, zoneName, zone)
        let duration = type.flatMap { self.duration(request.duration, $0) }
        let attendees = self.attendees(request, zoneName)
        check(request.details, type)

        var resolution: Resolution?
        if let type, let owner, owner.isActive {
            do throws(UsherError) {
                resolution = try catalog.resolve(type, owner: owner.owner, requested: request.provider, problem: readinessProblem)
            } catch { findings += error.findings }
        }
        guard findings.isEmpty, let type, let owner, let start, let duration, let resolution else {
            throw UsherError(.validationFailed, "The booking cannot be made as it is written.", findings: findings)
        }
        try refusePast(start)
        let terms = Terms(type: type, owner: owner.owner, site: catalog.site, chain: chain(resolution, type), because: resolution.because)
        let meeting = Meeting(
            status: type.provision == .onJoin ? .onJoin : .pending, provider: resolution.provider, module: resolution.module,
            because: resolution.because)
        return Draft(
            booking: Booking(
                id: id, start: start, end: start + duration, timeZone: zoneName, attendees: attendees, details: request.details,
                terms: terms, meeting: meeting, changedAt: now, createdAt: now),
            resolution: resolution)
    }

    /// The start of a reschedule: the same rules as a booking's.
    mutating func newStart(_ text: String, timeZone: String, disambiguation: BookingRequest.Disambiguation?) throws(UsherError) -> Instant {
        let request = BookingRequest(
            meetingType: "", owner: "", start: text, timeZone: timeZone, disambiguation: disambiguation, attendees: [])
        let zone = zone(timeZone, "/timeZone")
        guard let start = start(request, timeZone, zone), zone != nil else {
            throw UsherError(.validationFailed, "The booking cannot be moved there.", findings: findings)
        }
        try refusePast(start)
        return start
    }

    /// The time that a request means which names no owner yet, in the site's zone where it names none; `nil` where it means none, and
    /// ``draft(_:owner:known:id:readinessProblem:)`` says why.
    func time(_ request: BookingRequest, _ type: MeetingType) -> (start: Instant, length: Duration)? {
        var reader = self
        let name = request.timeZone ?? catalog.site.timeZone
        let zone = reader.zone(name, "/timeZone")
        guard let start = reader.start(request, name, zone), let length = reader.duration(request.duration, type), start > now else {
            return nil
        }
        return (start, length)
    }

    /// The time that is to be held, and the meeting type's rules for it.
    /// - Parameter owner: `nil` where the hosts of the meeting type are meant.
    mutating func time(
        _ request: HoldRequest, owner: StoredOwner?, known owners: () throws -> [String]
    ) throws -> (type: MeetingType, rules: SlotRules, start: Instant, length: Duration) {
        let type = catalog.meetingType(request.meetingType)
        if type == nil { find("/meetingType", unknown("meeting type", request.meetingType, catalog.meetingTypes.map(\.id))) }
        if let type, type.slots == nil { find("/meetingType", "has no slots: book it without a hold") }
        if let name = request.owner, owner?.isActive != true {
            find("/owner", owner == nil ? unknown("owner", name, try owners()) : "this owner is not active any more")
        }
        if request.owner == nil, let type, type.hosts == nil { find("/owner", "is required") }
        checkHost(request.owner ?? "", type)
        let name = request.timeZone ?? owner?.owner.timeZone ?? catalog.site.timeZone
        let zone = zone(name, "/timeZone")
        let written = BookingRequest(
            meetingType: request.meetingType, owner: request.owner ?? "", start: request.start, timeZone: request.timeZone,
            disambiguation: request.disambiguation, attendees: [])
        let start = start(written, name, zone)
        let length = type.flatMap { duration(request.duration, $0) }
        guard findings.isEmpty, let type, let rules = type.slots, let start, let length else {
            throw UsherError(.validationFailed, "The time cannot be held as it is written.", findings: findings)
        }
        try refusePast(start)
        return (type, rules, start, length)
    }

    // MARK: Fields

    private mutating func find(_ pointer: String, _ detail: String) {
        guard !findings.contains(where: { pointer == $0.pointer || pointer.hasPrefix($0.pointer + "/") }) else { return }
        findings.append(.init(pointer, detail))
    }

    /// A type with hosts is held by those alone.
    private mutating func checkHost(_ owner: String, _ type: MeetingType?) {
        guard let type, let hosts = type.hosts?.map(\.owner), !owner.isEmpty, !hosts.contains(owner) else { return }
        find("/owner", "does not host '\(type.id)'; its hosts are: \(hosts.joined(separator: ", "))")
    }

    private func refusePast(_ start: Instant) throws(UsherError) {
        guard start > now else {
            throw UsherError(
                .bookingInPast, "\(start.rfc3339) is over. Choose a time to come.", findings: [.init("/start", "lies in the past")])
        }
    }

    private func unknown(_ what: String, _ name: String, _ known: [String]) -> String {
        let near = hint(name, known)
        return "no \(what) is called '\(name.prefix(80))'\(near)"
    }

    private mutating func zone(_ name: String, _ pointer: String) -> TimeZone? {
        guard let zone = TimeZone(iana: name) else {
            find(pointer, "'\(name.prefix(80))' is not a time zone; write an IANA name such as Europe/Berlin")
            return nil
        }
        return zone
    }

    /// - Parameter zone: `nil` where the zone is no zone: what is no time is a finding all the same.
    private mutating func start(_ request: BookingRequest, _ zoneName: String, _ zone: TimeZone?) -> Instant? {
        guard let start = moment(request, zoneName, zone) else { return nil }
        let fraction = request.start.drop { $0 != "." }.dropFirst().prefix { $0.isNumber }
        if start.microseconds % Duration.minutes(1).microseconds == 0, fraction.allSatisfy({ $0 == "0" }) { return start }
        // Mails, pages and providers show and take minutes: nobody would see the rest.
        find("/start", "must be a whole minute")
        return nil
    }

    private mutating func moment(_ request: BookingRequest, _ zoneName: String, _ zone: TimeZone?) -> Instant? {
        switch WrittenTime(request.start) {
        case .instant(let instant)?:
            if instant < now + Self.horizon { return instant }
            find("/start", "lies more than five years ahead")
        case .wall where request.timeZone == nil:
            find("/timeZone", "is required, because the start has no offset: write one of them")
        case .wall(let wall)?:
            guard let zone else { return nil }
            switch WallTimeMeaning(wall, in: zone) {
            case .once(let instant):
                if instant < now + Self.horizon { return instant }
                find("/start", "lies more than five years ahead")
            case .skipped:
                find("/start", "the clocks in \(zoneName) skip \(wall.text) for daylight saving: choose another time")
            case .twice(let earlier, let later):
                switch request.disambiguation {
                case .earlier: return earlier
                case .later: return later
                case nil:
                    find(
                        "/start",
                        "the clocks in \(zoneName) show \(wall.text) twice, at \(earlier.rfc3339) and at \(later.rfc3339): write one of these, or disambiguation \"earlier\" or \"later\""
                    )
                }
            }
        case nil:
            find("/start", "'\(request.start.prefix(80))' is no time; write 2026-12-01T10:00:00+01:00, or 2026-12-01T10:00 with a timeZone")
        }
        return nil
    }

    private mutating func duration(_ text: String?, _ type: MeetingType) -> Duration? {
        guard let text else { return type.durations.first }
        guard let duration = Duration(written: text), type.durations.contains(duration) else {
            find("/duration", "must be one of: \(type.durations.map(\.inWords).joined(separator: ", "))")
            return nil
        }
        return duration
    }

    private mutating func attendees(_ request: BookingRequest, _ zoneName: String) -> [Attendee] {
        guard (1...Limits.attendees).contains(request.attendees.count) else {
            find("/attendees", "must be 1 to \(Limits.attendees) people")
            return []
        }
        var seen: Set<String> = []
        var attendees: [Attendee] = []
        for (index, person) in request.attendees.enumerated() {
            let pointer = "/attendees/\(index)"
            let address = asciiMailAddress(person.email)
            if address == nil { find("\(pointer)/email", "'\(person.email.prefix(80))' is not a mail address") }
            let name = (person.name ?? "").trimmingBlanks
            checkLine(name, "\(pointer)/name", Limits.name)
            if let name = person.timeZone { _ = zone(name, "\(pointer)/timeZone") }
            let language = Language.normalized(person.language ?? catalog.site.language)
            if language == nil { find("\(pointer)/language", Language.choices) }
            // The same attendee twice is one.
            guard let address, seen.insert(address.lowercased()).inserted else { continue }
            attendees.append(
                Attendee(name: name, email: address, timeZone: person.timeZone ?? zoneName, language: language ?? catalog.site.language))
        }
        return attendees
    }

    private mutating func check(_ details: BookingDetails, _ type: MeetingType?) {
        if let type { check(details.answers, type.questions ?? []) }
        if details.note.unicodeScalars.count > Limits.note { find("/note", "must have at most \(Limits.note) characters") }
        checkControls(details.note, "/note")
        checkLine(details.source, "/source", Limits.name)
        if details.metadata.count > Limits.metadataPairs { find("/metadata", "must have at most \(Limits.metadataPairs) pairs") }
        for (key, value) in details.metadata.sorted(by: { $0.key < $1.key }) {
            let pointer = "/metadata/" + JSON.pointerPart(String(key.prefix(80)))
            if max(key.unicodeScalars.count, value.unicodeScalars.count) > Limits.metadataText {
                find(pointer, "must have at most \(Limits.metadataText) characters")
            }
            checkControls(key + value, pointer)
        }
    }

    private mutating func check(_ answers: [String: String], _ questions: [Question]) {
        for name in answers.keys.sorted() where !questions.contains(where: { $0.id == name }) {
            find("/answers/\(JSON.pointerPart(String(name.prefix(80))))", "is asked by no question\(hint(name, questions.map(\.id)))")
        }
        for question in questions {
            let pointer = "/answers/\(question.id)"
            if let problem = question.problem(answers[question.id]) { find(pointer, problem) }
            checkControls(answers[question.id] ?? "", pointer)
        }
    }

    /// One line of text: what goes into headers and titles.
    private mutating func checkLine(_ text: String, _ pointer: String, _ limit: Int) {
        if text.unicodeScalars.count > limit { find(pointer, "must have at most \(limit) characters") }
        if text.unicodeScalars.contains(where: \.isControl) { find(pointer, "must not hold control characters or line ends") }
    }

    /// Several lines of text: what is in the body of a mail.
    private mutating func checkControls(_ text: String, _ pointer: String) {
        let isForbidden = text.unicodeScalars.contains { $0.isControl && $0 != "\n" && $0 != "\r" && $0 != "\t" }
        if isForbidden { find(pointer, "must not hold control characters") }
    }

    private func chain(_ resolution: Resolution, _ type: MeetingType) -> [Terms.Link] {
        let names = [resolution.provider] + type.fallback.filter { $0 != resolution.provider }
        return names.map { Terms.Link(provider: $0, module: catalog.provider($0)?.module ?? "", title: catalog.title(of: $0)) }
    }
}
