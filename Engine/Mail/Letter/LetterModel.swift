import UsherCore

/// What a letter's templates show, under the names that they use.
enum LetterModel {
    static func shown(_ letter: Letter, _ words: Words, _ language: String, _ time: ReaderTime) -> Shown {
        let booking = letter.booking
        let site = booking.terms.site
        let isCancelled = letter.kind == .cancellation
        var shown = Shown()
        shown.text("language", language)
        shown.text("site", site.name)
        shown.text("color", site.color)
        shown.text("title", booking.title)
        shown.text("headline", words.headline[letter.kind.rawValue] ?? "")
        shown.text("date", time.date)
        shown.text("time", time.range)
        shown.text("zone", time.zone)
        shown.text("with", company(letter))
        shown.text("note", letter.reader == .owner ? booking.note : "")
        shown.text("intro", isCancelled || letter.reader == .owner ? "" : booking.intro)
        shown.text("description", isCancelled ? "" : booking.description)
        shown.text("joinPage", isCancelled ? "" : letter.joinPage)
        shown.text("joinPageLabel", letter.room == nil ? words.late : words.joinPage)
        let footer = letter.reader == .owner || isCancelled ? words.footerPlain : words.footer
        shown.text("footer", Placeholders.fill(footer, ["site": site.name]))
        shown.flag("cancelled", isCancelled)
        add(words, to: &shown)
        add(letter.room, letter, words, to: &shown)
        return shown
    }

    private static func add(_ words: Words, to shown: inout Shown) {
        shown.text("when", words.when)
        shown.text("withLabel", words.with)
        shown.text("joinLabel", words.join)
        shown.text("meetingIDLabel", words.meetingID)
        shown.text("passcodeLabel", words.passcode)
        shown.text("phoneLabel", words.phone)
        shown.text("descriptionLabel", words.description)
        shown.text("noteLabel", words.note)
    }

    private static func add(_ room: Room?, _ letter: Letter, _ words: Words, to shown: inout Shown) {
        let booking = letter.booking
        let isElsewhere = booking.meeting.because == .fallback
        shown.flag("hasRoom", room != nil)
        shown.text("url", letter.entrance ?? "")
        shown.text("meetingID", readable(room?.meetingID ?? ""))
        shown.text("passcode", room?.passcode ?? "")
        shown.text("heldBy", isElsewhere ? Placeholders.fill(words.heldBy, ["provider": booking.meeting.provider]) : "")
        let numbers = room?.dialIn ?? []
        shown.flag("hasDialIn", !numbers.isEmpty)
        shown.list("dialIn", numbers.map { line($0, words) })
    }

    private static func line(_ number: DialIn, _ words: Words) -> Shown {
        var line = Shown()
        line.text("country", number.country)
        line.text("number", number.number)
        line.text("tel", number.tapToCall)
        line.text("pin", number.pin ?? "")
        line.text("pinLabel", words.pin)
        line.text("city", number.city ?? "")
        line.flag("isTollFree", number.tollFree)
        line.text("tollFree", words.tollFree)
        return line
    }

    private static func company(_ letter: Letter) -> String {
        let booking = letter.booking
        let names = booking.attendees.map { $0.name.isEmpty ? $0.email : $0.name }
        switch letter.reader {
        case .owner: return names.joined(separator: ", ")
        case .attendee(let index):
            let others = booking.terms.type.showAttendees ? names.enumerated().filter { $0.offset != index }.map(\.element) : []
            return ([booking.terms.owner.name] + others).joined(separator: ", ")
        }
    }
}
