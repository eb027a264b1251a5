import UsherCore
import UsherMail
import UsherPipeline

/// Links that put a meeting into the reader's own calendar.
struct CalendarLinks {
    let booking: Booking
    let joinPage: String

    func html(_ words: PageWords) -> HTML {
        """
        <section class=no-print><h2>\(words(.calendar))</h2><p class=actions><a class="button plain" href="\(google)" target=_blank rel=noreferrer>Google</a>
        <a class="button plain" href="\(outlook)" target=_blank rel=noreferrer>Outlook</a> <a class="button plain" href="\(joinPage)/invite.ics">\(words(.otherCalendars))</a></p></section>
        """
    }

    private var google: String {
        func stamp(_ instant: Instant) -> String { instant.rfc3339.filter { $0 != "-" && $0 != ":" } }
        return "https://calendar.google.com/calendar/render?action=TEMPLATE&text=\(Page.encoded(booking.title))"
            + "&dates=\(stamp(booking.start))/\(stamp(booking.end))&location=\(Page.encoded(joinPage))"
    }

    private var outlook: String {
        "https://outlook.office.com/calendar/0/deeplink/compose?subject=\(Page.encoded(booking.title))"
            + "&startdt=\(Page.encoded(booking.start.rfc3339))&enddt=\(Page.encoded(booking.end.rfc3339))&location=\(Page.encoded(joinPage))"
    }
}
