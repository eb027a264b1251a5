import UsherCore

/// A letter to an owner about something that needs them. It says all that it needs by itself, so that it reads the same at every try.
package struct Notice: Hashable, Sendable, Codable {
    /// What an owner is told of.
    package enum Kind: String, Sendable, Codable, CaseIterable {
        /// A connection is missing or has gone bad.
        case connection
        /// A booking's room needs a person.
        case booking
        /// A way to sign in, which the owner asked for.
        case signIn
        /// A mail to an attendee was refused for good.
        case undelivered
        /// A room that is not wanted any more stands at the provider.
        case remains
        /// A guest is to prove the address with which a time was asked for.
        case confirm
        /// A calendar that makes its owner busy cannot be read.
        case calendar
    }

    /// The meeting that a notice is about.
    package struct Subject: Hashable, Sendable, Codable {
        /// The meeting's title.
        package var title: String
        /// When it begins.
        package var start: Instant
        /// When it ends.
        package var end: Instant

        /// Takes each property as it is.
        package init(title: String, start: Instant, end: Instant) {
            self.title = title
            self.start = start
            self.end = end
        }
    }

    /// What it tells of.
    package var kind: Kind
    /// Whose mail it is.
    package var site: Site
    /// Who gets it.
    package var owner: Owner
    /// As people call it: `Zoom`.
    package var service: String
    /// The account's address there; empty where none is connected.
    package var account: String
    /// What is wrong, and how to mend it; `nil` where the kind says it.
    package var problem: Problem?
    /// What the other system said, as it said it.
    package var detail: String
    /// The meeting that it is about, if it is about one.
    package var meeting: Subject?
    /// Bookings that wait for it.
    package var waiting: Int
    /// Where to mend it.
    package var url: String

    /// Takes each property as it is.
    package init(
        kind: Kind, site: Site, owner: Owner, service: String = "", account: String = "", problem: Problem? = nil,
        detail: String = "", meeting: Subject? = nil, waiting: Int = 0, url: String = ""
    ) {
        self.kind = kind
        self.site = site
        self.owner = owner
        self.service = service
        self.account = account
        self.problem = problem
        self.detail = detail
        self.meeting = meeting
        self.waiting = waiting
        self.url = url
    }
}

/// What a notice's templates show.
enum NoticeModel {
    static func subject(_ notice: Notice, _ words: Words, _ language: String) -> String {
        Placeholders.fill(words.notices[notice.kind.rawValue]?.subject ?? "", values(notice, language))
    }

    static func shown(_ notice: Notice, _ words: Words, _ language: String, logo: Logo?) -> TemplateContext {
        let said = words.notices[notice.kind.rawValue]
        let values = values(notice, language)
        var shown = TemplateContext()
        shown.frame(notice.site, language: language, direction: ReaderLocale.of(language).direction, logo: logo)
        shown.text("headline", notice.site.name.withoutTurns)
        shown.text("title", Placeholders.fill(said?.headline ?? "", values))
        let lines = [Placeholders.fill(said?.body ?? "", values)] + problem(notice, words, values) + [notice.detail.withoutTurns]
        shown.list("paragraphs", lines.filter { !$0.isEmpty }.map(paragraph))
        shown.text("actionLabel", Placeholders.fill(said?.action ?? "", values))
        shown.text("actionURL", notice.url)
        shown.text("colon", words.colon)
        shown.text("footer", Placeholders.fill(words.footerPlain, ["site": notice.site.name]))
        return shown
    }

    private static func paragraph(_ text: String) -> TemplateContext {
        var shown = TemplateContext()
        shown.text("text", text)
        return shown
    }

    /// In the reader's language, by the problem's code; what the service itself said follows where the code alone says too little.
    private static func problem(_ notice: Notice, _ words: Words, _ values: [String: String]) -> [String] {
        guard let problem = notice.problem else { return [] }
        // A calendar is not a provider of rooms: what its service said, as it was said.
        if notice.kind == .calendar { return [problem.message, problem.remedy] }
        // Without a connection of the owner's, "not connected" is the admin's matter, and says so itself.
        let isAdmins = problem.code == .notConnected && notice.kind != .connection
        if isAdmins, Language.base(notice.owner.language) != "en" { return [Placeholders.fill(words.owner["notSetUpText"] ?? "", values)] }
        guard !isAdmins, let said = words.problems[problem.code.rawValue] else { return [problem.message, problem.remedy] }
        return [Placeholders.fill(said.cause, values), Placeholders.fill(said.remedy, values)]
    }

    private static func values(_ notice: Notice, _ language: String) -> [String: String] {
        var values = [
            "service": notice.service, "account": notice.account, "count": String(notice.waiting), "site": notice.site.name,
            "name": notice.owner.name,
        ]
        if let meeting = notice.meeting {
            let time = ReaderTime.of(start: meeting.start, end: meeting.end, timeZone: notice.owner.timeZone, language: language)
            values["title"] = meeting.title
            values["date"] = time.date
            values["time"] = time.time
        }
        return values.mapValues(\.withoutTurns)
    }
}
