import UsherCore

/// What a letter's templates show, under the names that they use.
struct LetterModel {
    private let letter: Letter
    private let words: Words
    private let locale: ReaderLocale
    private let time: ReaderTime
    private let language: String

    /// So many numbers are in a mail; the others are on the join page.
    private static let numbersShown = 5

    init(_ letter: Letter, _ words: Words, _ language: String) {
        self.letter = letter
        self.words = words
        self.language = language
        locale = ReaderLocale.of(language, zone: letter.timeZone)
        time = ReaderTime.of(start: letter.booking.start, end: letter.booking.end, timeZone: letter.timeZone, language: language)
    }

    /// Exchange names the event after the subject of the mail that brings its invitation.
    var subject: String {
        if letter.reader != .owner, letter.kind != .reminder, !letter.onCalendar { return letter.booking.title }
        return Placeholders.fill(
            words.subject[letter.kind.rawValue] ?? "{title}", ["title": letter.booking.title, "date": time.date, "time": time.time])
    }

    func shown(logo: Logo?) -> TemplateContext {
        let booking = letter.booking
        var shown = TemplateContext()
        shown.frame(booking.terms.site, language: language, direction: locale.direction, logo: logo)
        shown.text("title", booking.title)
        shown.text("headline", words.headline[letter.kind.rawValue] ?? "")
        addTimes(to: &shown)
        shown.text("with", company)
        shown.text("note", letter.reader == .owner ? booking.answersAndNote : "")
        shown.text("intro", isCancelled || letter.reader == .owner ? "" : booking.intro)
        shown.text("description", isCancelled ? "" : booking.description)
        shown.text("joinPage", isCancelled || letter.opensOnJoin ? "" : letter.joinPage)
        shown.text("joinPageLabel", letter.room == nil ? words.late : words.joinPage + words.colon)
        shown.text("managePage", isCancelled ? "" : letter.managePage ?? "")
        let footer = letter.reader == .owner || isCancelled ? words.footerPlain : words.footer
        shown.text("footer", Placeholders.fill(footer, ["site": booking.terms.site.name]))
        addLabels(to: &shown)
        addRoom(to: &shown)
        return shown
    }

    private var isCancelled: Bool { letter.kind == .cancellation }

    private func addTimes(to shown: inout TemplateContext) {
        let booking = letter.booking
        shown.flag("cancelled", isCancelled)
        shown.text("date", time.date)
        shown.text("time", time.range)
        shown.text("duration", locale.duration(booking.duration))
        shown.text("zone", time.zone)
        shown.text("otherTime", otherTime)
        let old = letter.kind == .update ? letter.previous : nil
        let isMoved = old.map { $0.start != booking.start || $0.end != booking.end } ?? false
        let oldTime = old.map { ReaderTime.of(start: $0.start, end: $0.end, timeZone: letter.timeZone, language: language) }
        shown.text("oldDate", isMoved ? oldTime?.date ?? "" : "")
        shown.text("oldTime", isMoved ? oldTime?.range ?? "" : "")
        shown.text("roomNote", old.map(roomNote) ?? "")
    }

    /// What has become of the way in since the reader's last mail.
    private func roomNote(_ old: MailSnapshot) -> String {
        guard letter.room != nil, old.room != MailSnapshot(letter.booking).room else { return "" }
        return old.room.isEmpty ? words.roomReady : words.roomChanged
    }

    private static let timesShown = 6

    /// The times where the others are, as far as they are others than the reader's: each once, with who is first to have it.
    private var otherTime: String {
        let booking = letter.booking
        let owner = booking.terms.owner
        let others =
            letter.reader == .owner
            ? booking.attendees.map { (name: Self.name($0), zone: $0.timeZone) } : [(name: owner.name, zone: owner.timeZone)]
        var offsets: Set = [time.offset]
        return others.compactMap { name, zone in
            guard zone != letter.timeZone else { return nil }
            let other = ReaderTime.of(
                start: booking.start, end: booking.end, timeZone: zone, language: language, home: letter.timeZone)
            guard offsets.insert(other.offset).inserted else { return nil }
            let parts = [other.date == time.date ? "" : other.date, other.range, other.zone].filter { !$0.isEmpty }
            return "\(locale.isolated(name)): \(parts.map(locale.isolated).joined(separator: locale.comma))"
        }.prefix(Self.timesShown).joined(separator: locale.semicolon)
    }

    private func addLabels(to shown: inout TemplateContext) {
        shown.text("when", words.when)
        shown.text("colon", words.colon)
        shown.text("comma", locale.comma)
        shown.text("previously", words.previously)
        shown.text("withLabel", words.with)
        shown.text("joinLabel", words.join)
        shown.text("meetingIDLabel", words.meetingID)
        shown.text("passcodeLabel", words.passcode)
        shown.text("phoneLabel", words.phone)
        shown.text("descriptionLabel", words.description)
        shown.text("noteLabel", words.note)
        shown.text("manageLabel", words.manage)
    }

    private func addRoom(to shown: inout TemplateContext) {
        let booking = letter.booking
        let room = letter.room
        shown.flag("hasRoom", letter.entrance != nil)
        shown.text("url", letter.entrance ?? "")
        shown.text("meetingID", readable(room?.meetingID ?? ""))
        shown.text("passcode", room?.passcode ?? "")
        let isElsewhere = booking.meeting.because == .fallback
        shown.text(
            "heldBy", isElsewhere ? Placeholders.fill(words.heldBy, ["provider": booking.terms.title(of: booking.meeting.provider)]) : "")
        let numbers = (room?.dialIn ?? []).readersFirst(country(ofZone: letter.timeZone))
        shown.flag("hasDialIn", !numbers.isEmpty)
        shown.list("dialIn", numbers.prefix(Self.numbersShown).map(line))
        shown.text("moreNumbers", numbers.count > Self.numbersShown ? words.moreNumbers : "")
    }

    private func line(_ number: DialIn) -> TemplateContext {
        var line = TemplateContext()
        line.text("country", locale.country(number.country))
        line.text("colon", words.colon)
        line.text("comma", locale.comma)
        line.text("isolate", locale.direction == "rtl" ? "\u{2068}" : "")
        line.text("endIsolate", locale.direction == "rtl" ? "\u{2069}" : "")
        line.text("number", number.number)
        line.text("tel", number.tapToCall)
        line.text("pin", number.pin ?? "")
        line.text("pinLabel", words.pin)
        line.text("city", number.city ?? "")
        line.flag("isTollFree", number.tollFree)
        line.text("tollFree", words.tollFree)
        return line
    }

    /// Attendees see each other's names where the type says so, and never each other's addresses.
    private var company: String {
        let booking = letter.booking
        switch letter.reader {
        case .owner: return locale.list(booking.attendees.map(Self.name).map(locale.isolated))
        case .attendee(let index):
            let others = booking.terms.type.showAttendees ? booking.attendees.enumerated().filter { $0.offset != index }.map(\.element) : []
            return locale.list(([booking.terms.owner.name] + others.map(Self.name)).map(locale.isolated))
        }
    }

    private static func name(_ attendee: Attendee) -> String { attendee.name.isEmpty ? attendee.email : attendee.name }
}

extension TemplateContext {
    /// What stands around every letter.
    mutating func frame(_ site: Site, language: String, direction: String, logo: Logo?) {
        let color = SiteColor.of(site.color)
        text("language", language)
        text("direction", direction)
        text("site", site.name)
        text("color", color.plain)
        text("onColor", color.onPlain)
        text("linkColor", color.link)
        text("darkLinkColor", color.darkLink)
        flag("hasLogo", logo != nil)
        text("logoID", logo == nil ? "" : Logo.contentID)
        text("logoWidth", logo.map { String($0.shownWidth) } ?? "")
        text("logoHeight", logo.map { String($0.shownHeight) } ?? "")
        let words = PageWords(language)
        list(
            "siteLinks",
            [(words(.privacy), site.privacy), (words(.terms), site.terms)].compactMap { label, url in
                url.map { url in
                    var link = TemplateContext()
                    link.text("label", label)
                    link.text("url", url)
                    link.text("colon", words.colon)
                    link.text("linkColor", color.link)
                    return link
                }
            })
    }
}

extension [DialIn] {
    /// Those of the reader's country first; the provider's order otherwise.
    func readersFirst(_ country: String?) -> [DialIn] { filter { $0.country == country } + filter { $0.country != country } }
}
