import UsherCore
import UsherMail
import UsherPipeline

// The values of the templates that recur on pages. A name that a value lacks is looked for in the values around it, so names differ.

extension HTML {
    /// What a template makes of its values.
    init(_ template: PageTemplate, _ values: Any) { self.init(rendered: SiteFrame.current.look.render(template, values)) }
}

/// `time.html.mustache`: when something takes place, in its reader's zone and language.
struct TimePart: Sendable {
    var startsAt, endsAt, date, range, zone, zoneID: String
    /// What a script says of the visitor's own zone where that differs; `nil`: nothing.
    var here: String?

    init(_ start: Instant, _ end: Instant, zone id: String, language: String, here: String? = nil) {
        let time = ReaderTime.of(start: start, end: end, timeZone: id, language: language)
        (startsAt, endsAt, date, range) = (start.rfc3339, end.rfc3339, time.date, time.range)
        (zone, zoneID, self.here) = (time.zone, id, here)
    }
}

/// `notice.html.mustache`: what has happened, or stands in the way.
struct NoticePart: Sendable {
    var noticeTone, noticeRole: String
    var noticeLines: [String]

    /// - Parameter isUrgent: those who hear the page are told at once.
    init(_ tone: Tone, _ lines: String..., isUrgent: Bool = false) { self.init(tone, lines, isUrgent: isUrgent) }

    init(_ tone: Tone, _ lines: [String], isUrgent: Bool = false) {
        (noticeTone, noticeRole, noticeLines) = (tone.rawValue, isUrgent ? "alert" : "status", lines)
    }
}

/// `hidden.html.mustache`: what a form carries along.
struct HiddenField: Sendable {
    var fieldName, fieldValue: String

    static func all(_ fields: [(String, String)]) -> [HiddenField] { fields.map { HiddenField(fieldName: $0.0, fieldValue: $0.1) } }
}

/// `option.html.mustache`: one of several that may be chosen.
struct OptionPart: Sendable {
    var optionValue, optionName: String
    var isChosen: Bool
}

/// `times.html.mustache`: free times, a button each.
struct TimesPart: Sendable {
    struct Day: Sendable {
        /// `nil` where all are of one day.
        var dayName: String?
        var starts: [Start]
    }
    struct Start: Sendable { var startsAt, startName: String }

    var timesAction: String
    var carried: [HiddenField]
    var days: [Day]
}

/// A way on that is a link.
struct WayPart: Sendable {
    var wayPath, wayName: String
    var isMain = false
}

/// Leads from a cancelled booking to a new one.
struct AgainPart: Sendable {
    var againPath, againName: String
}
