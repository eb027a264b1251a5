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

    package init(_ language: String) {
        (words, self.language) = Words.of(language)
        locale = ReaderLocale.of(self.language)
        direction = locale.direction
    }

    /// Text, not HTML; every language has every key, or the start is refused.
    package func callAsFunction(_ key: Key, _ values: [String: String] = [:]) -> String {
        Placeholders.fill(words.page[key.rawValue] ?? key.rawValue, values)
    }

    package var join: String { words.join }
    package var meetingID: String { words.meetingID }
    package var passcode: String { words.passcode }
    package var phone: String { words.phone }
    package var pin: String { words.pin }
    package var with: String { words.with }
    package var colon: String { words.colon }
    package var comma: String { locale.comma }
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

    package func country(_ code: String) -> String { locale.country(code) }
}
