import UsherCore
import UsherMail
import UsherPipeline

/// `meeting.html.mustache`: when and with whom.
struct MeetingPart: Sendable {
    var time: TimePart
    var withWhom, hostName, between, hostSite: String

    init(_ visit: ReaderLinks.Visit) {
        let (booking, words) = (visit.booking, visit.words)
        time = TimePart(booking.start, booking.end, zone: visit.timeZone, language: visit.language, here: words(.here))
        (withWhom, between) = (words.with + words.colon, words.comma)
        (hostName, hostSite) = (booking.terms.owner.name, booking.terms.site.name)
    }
}
