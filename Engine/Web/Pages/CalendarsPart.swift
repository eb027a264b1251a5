import UsherCore
import UsherMail
import UsherPipeline

/// `calendars.html.mustache`: links that put a meeting into the reader's own calendar.
struct CalendarsPart: Sendable {
    var calendarsName, google, outlook, file, fileName: String

    init(_ booking: Booking, joinPage: String, _ words: PageWords) {
        (calendarsName, fileName) = (words(.calendar), words(.otherCalendars))
        file = joinPage + "/invite.ics"
        func stamp(_ instant: Instant) -> String { instant.rfc3339.filter { $0 != "-" && $0 != ":" } }
        google =
            "https://calendar.google.com/calendar/render?action=TEMPLATE&text=\(Page.encoded(booking.title(in: words.language)))"
            + "&dates=\(stamp(booking.start))/\(stamp(booking.end))&location=\(Page.encoded(joinPage))"
        outlook =
            "https://outlook.office.com/calendar/0/deeplink/compose?subject=\(Page.encoded(booking.title(in: words.language)))"
            + "&startdt=\(Page.encoded(booking.start.rfc3339))&enddt=\(Page.encoded(booking.end.rfc3339))&location=\(Page.encoded(joinPage))"
    }
}
