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
        (withWhom, between) = (words.with + words.colon, visit.reader == .owner ? "" : words.comma)
        let guests = booking.attendees.map { $0.name.isEmpty ? $0.email : $0.name }
        hostName = visit.reader == .owner ? guests.joined(separator: words.comma) : booking.terms.owner.name
        // An owner meets guests, not the site.
        hostSite = visit.reader == .owner ? "" : booking.terms.site.name
    }
}
