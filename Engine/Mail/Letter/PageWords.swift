import Foundation
import UsherCore

/// What the pages behind the mail's links say, in one reader's language.
package struct PageWords: Sendable {
    /// A sentence or label of the pages; the raw value is its key under `page` in `words.{language}.json`.
    package enum Key: String, CaseIterable, Sendable {
        /// With `{duration}`.
        case beginsIn
        case running, start, cancelled, over, making
        /// With `{owner}`.
        case blocked
        case calendar, otherCalendars, copy, copied, copyAll, longer, again, moved
        /// With `{time}` and `{zone}`: the visitor's own.
        case here
        case move
        /// With `{zone}`.
        case newStart
        case moveButton, cancel, cancelButton, begun, sureCancel, told, yesCancel, no
        /// With `{title}`.
        case sureMove
        case yesMove, refused, unchanged, back, chooseTime, skipped, past
        /// With `{owner}`.
        case taken
        /// With `{owner}`.
        case askOwner
        case chooseDay, chooseSlot
        /// With `{month}`.
        case noneFree
        /// With `{date}`.
        case nextFree
        case earlier, later
        /// With `{zone}`.
        case timesIn
        case zone, length, show
        /// With `{count}`.
        case freeTimes
        case name, mail, noteField, optional, book
        /// With `{time}`.
        case keptUntil
        case otherTime, look
        /// With `{address}` and `{time}`.
        case mailed
        case sureBook, yesBook, booked, bookedText, toPage, gone, ended, tooMany, onceMore, fillIn, noMail, pages, invited, hosts, privacy,
            terms, byHand, deadLink, deadLinkText, busyPage, busyPageText, noEntry, notOffered
        /// With `{owner}`.
        case noEntryText
    }

    /// For `lang`.
    package let language: String
    /// For `dir`.
    package let direction: String
    private let words: Words
    private let locale: ReaderLocale

    /// The words of a language; English where there are none.
    package init(_ language: String) {
        (words, self.language) = Words.of(language)
        locale = ReaderLocale.of(self.language)
        direction = locale.direction
    }

    /// Text, not HTML; every language has every key, or the start is refused.
    package func callAsFunction(_ key: Key, _ values: [String: String] = [:]) -> String {
        Placeholders.fill(words.page[key.rawValue] ?? key.rawValue, values)
    }

    /// On the button that leads into the room.
    package var join: String { words.join }
    /// On what leads to the page where the meeting is moved or cancelled.
    package var manage: String { words.manage }
    /// Before the meeting's id.
    package var meetingID: String { words.meetingID }
    /// Before the passcode.
    package var passcode: String { words.passcode }
    /// Before the telephone numbers.
    package var phone: String { words.phone }
    /// Before a number's PIN.
    package var pin: String { words.pin }
    /// Before the names of those who meet.
    package var with: String { words.with }
    /// Between a label and its value.
    package var colon: String { words.colon }
    /// Between items of a list in a line.
    package var comma: String { locale.comma }
    /// After a number that costs nothing.
    package var tollFree: String { words.tollFree }

    /// As the mail lists them: those of the reader's country first.
    package func numbers(_ room: Room, zone: String) -> [DialIn] {
        room.dialIn.readersFirst(UsherMail.country(ofZone: zone))
    }

    /// Days alone from a day on, else hours and minutes.
    package func duration(_ duration: Duration) -> String {
        let unit: Duration = duration >= .days(1) ? .days(1) : .minutes(1)
        return locale.duration(.microseconds(duration.microseconds / unit.microseconds * unit.microseconds))
    }

    /// `December 2026`.
    package func month(_ date: CalendarDate) -> String {
        date.midnight.asUTC.date.formatted(Date.FormatStyle(locale: locale.locale, timeZone: .gmt).month(.wide).year())
    }

    /// `Tuesday 1 December`.
    package func day(_ date: CalendarDate) -> String {
        date.midnight.asUTC.date.formatted(Date.FormatStyle(locale: locale.locale, timeZone: .gmt).weekday(.wide).day().month(.wide))
    }

    /// The seven days as their language's calendars head their columns, from the first day of the week on: 1 for Monday to 7 for Sunday.
    package var weekdays: [(number: Int, name: String)] {
        let first =
            [.monday, .tuesday, .wednesday, .thursday, .friday, .saturday, .sunday].firstIndex(of: locale.locale.firstDayOfWeek) ?? 0
        return (0..<7).map { offset in
            let number = (first + offset) % 7 + 1
            // 1970-01-05 was a Monday.
            let day = CalendarDate(day: Int64(number) + 3).midnight.asUTC.date
            return (number, day.formatted(Date.FormatStyle(locale: locale.locale, timeZone: .gmt).weekday(.abbreviated)))
        }
    }

    /// A country's name.
    /// - Parameter code: ISO 3166-1 alpha-2.
    package func country(_ code: String) -> String { locale.country(code) }
}
