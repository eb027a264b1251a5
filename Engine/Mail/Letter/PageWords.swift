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
        case calendar, otherCalendars, copy, copied
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

    /// A country's name.
    /// - Parameter code: ISO 3166-1 alpha-2.
    package func country(_ code: String) -> String { locale.country(code) }
}
