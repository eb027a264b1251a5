import UsherCore
import Yams

/// `meeting-types:`
struct MeetingTypeSection {
    private let report: Reporter
    private let names: Names
    private let abilities: Abilities
    private let slots: SlotSection
    /// The site's.
    private let language: String

    private static let keys = [
        "title", "description", "duration", "durations", "provider", "fallback", "provision", "meeting", "calendar", "reminders", "overlap",
        "on-drift", "choices", "email", "guest-changes", "guests-may", "slots", "hosts", "page", "confirm-by-mail", "questions",
        "from", "reply-to",
    ]

    init(_ report: Reporter, _ names: Names, _ abilities: Abilities, _ slots: SlotSection, language: String) {
        self.language = language
        self.slots = slots
        self.report = report
        self.names = names
        self.abilities = abilities
    }

    func readAll(_ node: Node) -> [MeetingType] {
        guard let types = Fields(node, "meeting-types", report) else { return [] }
        if types.all.isEmpty { report.error(.missingKey, types.mark, "'meeting-types' needs one meeting type at least") }
        return types.entries.compactMap { read($0) }
    }

    private func read(_ field: Fields.Field) -> MeetingType? {
        checkID(field.key, field.mark, "a meeting type's id", report)
        guard let fields = Fields(field.value, "meeting-types.\(field.key)", report) else { return nil }
        fields.refuseUnknown(Self.keys)
        fields.require(["title"])
        let title = SpokenText(fields, "title", site: language, report)
        let description = SpokenText(fields, "description", site: language, report, limit: 2_000, lines: true)
        let email = fields["email"].flatMap { Fields($0, fields.path("email"), report) }
        email?.refuseUnknown(["intro", "show-attendees"])
        let intro = email.flatMap { SpokenText($0, "intro", site: language, report, limit: 2_000, lines: true) }
        let texts = [title, description, intro].compactMap(\.self)
        for text in texts where text.languages == nil { report.checkMarks(text.base, among: Placeholders.known, text.mark) }
        let durations = self.durations(fields)
        let (provider, fallback, choices) = providers(fields)
        let meeting = fields["meeting"].flatMap { options($0, fields.path("meeting"), provider, fallback + choices) } ?? MeetingOptions()
        let booking = slots.read(fields, durations)
        let page = PageSection(report).read(fields, hasSlots: booking.rules != nil)
        let (questions, asked) = QuestionSection(report, language: language).read(fields)
        SpokenText.compare(texts + asked.map(\.text), report)
        let translations = Self.translations(title, description, intro, asked)
        // All of it is read before anything is given up, so that all findings come at once.
        var read = MeetingType(
            id: field.key, title: title?.base ?? "", description: description?.base ?? "", durations: durations, provider: provider,
            fallback: fallback, provision: fields.choice("provision", MeetingType.Provision.onConfirmation), meeting: meeting,
            calendar: fields.bool("calendar", false), reminders: reminders(fields),
            overlapAllowed: fields.choice("overlap", Overlap.forbid) == .allow,
            onDrift: fields.choice("on-drift", MeetingType.Drift.notify), choices: choices, intro: intro?.base ?? "",
            showAttendees: email?.bool("show-attendees", false) ?? false, guestChanges: guestChanges(fields),
            guestsMay: fields["guests-may"].map { _ in fields.choice("guests-may", GuestsMay.moveAndCancel) },
            slots: booking.rules, hosts: booking.hosts, page: page, questions: questions,
            translations: translations.isEmpty ? nil : translations)
        (read.from, read.replyTo) = (mailbox("from", fields), mailbox("reply-to", fields))
        return title == nil ? nil : read
    }

    private func mailbox(_ key: String, _ fields: Fields) -> Mailbox? {
        fields.text(key).flatMap { text, mark in
            let mailbox = Mailbox(text)
            if mailbox == nil {
                report.error(
                    .value, mark, "'\(fields.path(key))' must be a mail address: \"Northwind Surgery <surgery@northwind.example>\"")
            }
            return mailbox
        }
    }

    private static func translations(
        _ title: SpokenText?, _ description: SpokenText?, _ intro: SpokenText?, _ questions: [(id: String, text: SpokenText)]
    ) -> [String: TypeTexts] {
        let all = ([title, description, intro].compactMap(\.self) + questions.map(\.text)).flatMap(\.others.keys)
        return Dictionary(
            uniqueKeysWithValues: Set(all).map { language in
                let asks = questions.compactMap { question in question.text.others[language].map { (question.id, $0) } }
                return (
                    language,
                    TypeTexts(
                        title: title?.others[language], description: description?.others[language], intro: intro?.others[language],
                        questions: Dictionary(uniqueKeysWithValues: asks))
                )
            })
    }

    private enum Overlap: String, CaseIterable { case forbid, allow }
    private enum Summary: String, CaseIterable { case inherit, off, on }

    private func durations(_ fields: Fields) -> [Duration] {
        if fields["duration"] != nil, let both = fields["durations"] {
            report.error(.value, both.place, "'\(fields.path)' has both duration and durations; keep one of them")
        }
        if fields["duration"] == nil, fields["durations"] == nil, !fields.isMisspelt("duration"), !fields.isMisspelt("durations") {
            report.error(.missingKey, fields.mark, "'\(fields.path)' needs 'duration: 30m' or 'durations: [30m, 45m]'")
        }
        let one = fields.text("duration").map { [$0] } ?? []
        return durations(fields, one, "duration") + durations(fields, fields.list("durations"), "durations")
    }

    private func durations(_ fields: Fields, _ written: [(value: String, mark: Place?)], _ key: String) -> [Duration] {
        written.compactMap { text, mark in
            guard let duration = fields.duration(text, mark, key) else { return nil }
            if duration < .minutes(1) || duration > .days(1) || duration.wholeSeconds % 60 != 0 {
                report.error(.value, mark, "'\(text)': a meeting lasts whole minutes, from 1m to 1d")
            }
            return duration
        }
    }

    private func reminders(_ fields: Fields) -> [Duration] {
        fields.list("reminders").compactMap { fields.duration($0.value, $0.mark, "reminders") }
    }

    private func guestChanges(_ fields: Fields) -> GuestChanges? {
        guard let node = fields["guest-changes"], let limits = Fields(node, fields.path("guest-changes"), report) else { return nil }
        limits.refuseUnknown(["moves", "notice"])
        var changes = GuestChanges.usual
        if let moves = limits.number("moves", 0...1_000) { changes.moves = moves }
        if let (text, mark) = limits.text("notice"), let notice = limits.duration(text, mark, "notice") { changes.notice = notice }
        return changes
    }

    private func providers(_ fields: Fields) -> (provider: String, fallback: [String], choices: [String]) {
        let provider = fields.text("provider")
        if let provider { names.check(provider.value, provider.mark, fields.path("provider"), also: [MeetingType.ownerDefault]) }
        let name = provider?.value ?? MeetingType.ownerDefault
        let fallback = fields.list("fallback")
        for link in fallback {
            names.check(link.value, link.mark, fields.path("fallback"))
            if link.value == name { report.error(.value, link.mark, "'\(link.value)' cannot be the fallback of itself") }
        }
        let choices = fields.list("choices")
        for choice in choices { names.check(choice.value, choice.mark, fields.path("choices")) }
        return (name, fallback.map(\.value), choices.map(\.value))
    }

    private func options(_ node: Node, _ path: String, _ provider: String, _ others: [String]) -> MeetingOptions? {
        guard let fields = Fields(node, path, report) else { return nil }
        fields.refuseUnknown(["passcode", "waiting-room", "join-before-host", "alternative-hosts", "recording", "summary"])
        let hosts = fields.list("alternative-hosts")
        for host in hosts where !isMailAddress(host.value) { report.error(.value, host.mark, "'\(host.value)' is not a mail address") }
        let recording = fields.choice("recording", MeetingOptions.Recording.inherit)
        let summary = fields.choice("summary", Summary.inherit)
        let options = MeetingOptions(
            passcode: fields.choice("passcode", MeetingOptions.Passcode.inherit), waitingRoom: fields.inheritable("waiting-room"),
            joinBeforeHost: fields.inheritable("join-before-host"), alternativeHosts: hosts.map(\.value),
            recording: recording == .inherit ? nil : recording, summary: summary == .inherit ? nil : summary == .on)
        var wanted: [(ProviderDescriptor.Capability, String)] = []
        if options.passcode != .inherit { wanted.append((.passcode, "passcode")) }
        if options.waitingRoom != nil { wanted.append((.waitingRoom, "waiting-room")) }
        if options.joinBeforeHost != nil { wanted.append((.joinBeforeHost, "join-before-host")) }
        if !hosts.isEmpty { wanted.append((.alternativeHosts, "alternative-hosts")) }
        if let recording = options.recording { wanted.append((recording == .local ? .localRecording : .recording, "recording")) }
        if options.summary != nil { wanted.append((.summary, "summary")) }
        for (capability, key) in wanted { abilities.check(capability, fields[key]?.place, fields.path(key), provider, others) }
        if options.waitingRoom == true, options.joinBeforeHost == true {
            report.error(
                .value, fields["join-before-host"]?.place,
                "a waiting room keeps everyone out until the host lets them in: join-before-host cannot be true beside it")
        }
        return options
    }
}

/// What the providers can do, and whether a meeting type asks for more.
struct Abilities {
    private let descriptors: [String: ProviderDescriptor]
    private let defaults: Set<String>
    private let report: Reporter

    init(_ providers: [ProviderEntry], defaults: Set<String>, _ registry: ProviderRegistry, _ report: Reporter) {
        descriptors = Dictionary(
            providers.compactMap { entry in registry.descriptor(entry.module).map { (entry.name, $0) } },
            uniquingKeysWith: { first, _ in first })
        self.defaults = defaults
        self.report = report
    }

    /// An error where the type names the provider; a warning where it is only some owner's default.
    func check(_ capability: ProviderDescriptor.Capability, _ mark: Place?, _ path: String, _ provider: String, _ others: [String]) {
        let isOpen = provider == MeetingType.ownerDefault
        for name in (isOpen ? [] : [provider]) + others where lacks(name, capability) {
            report.error(
                .capability, mark,
                "'\(path)' asks for what the provider '\(name)' cannot do; leave it to inherit, or choose another provider")
        }
        guard isOpen else { return }
        for name in defaults.sorted() where lacks(name, capability) {
            report.warning(.capability, mark, "'\(path)' has no effect for owners whose meetings are held at '\(name)', which cannot do it")
        }
    }

    private func lacks(_ name: String, _ capability: ProviderDescriptor.Capability) -> Bool {
        descriptors[name].map { !$0.capabilities.contains(capability) } ?? false
    }
}
