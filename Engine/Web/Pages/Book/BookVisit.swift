import Foundation
import HTTPTypes
import Hummingbird
import UsherCore
import UsherMail
import UsherPipeline
import UsherStore

/// One look at a booking page: what is offered, and what the visitor has chosen so far, all of it in the address.
struct BookVisit: Sendable {
    private(set) var offer: PageBookings.Offer
    let words: PageWords
    let language: String
    let zone: TimeZone
    let duration: Duration
    /// The first of the month that is shown.
    let month: CalendarDate
    /// The day whose times are shown.
    let day: CalendarDate?
    let site: Site
    /// Who the visitor is, where the page is shown in a frame of another site's: browsers keep its cookies from us.
    private(set) var framed: String?
    /// What the address fills in of the form; the visitor may change it.
    let prefilled: [String: String]

    /// The same for a visitor in a frame who is known by a mark from now on.
    func known(as mark: String) -> BookVisit {
        var visit = self
        visit.framed = mark
        return visit
    }

    /// The same with the meeting type as it was when a time of it was held.
    func of(_ hold: StoredHold) -> BookVisit {
        var visit = self
        visit.offer.type = hold.type.spoken(in: language)
        return visit
    }

    /// What an address and a form carry along.
    static let names = ["timeZone", "duration", "language", "embed"]

    /// - Parameter now: for the month that is shown first.
    init(_ offer: PageBookings.Offer, _ request: Request, site: Site, now: Instant) {
        let query = request.uri.queryParameters
        // A browser's form writes a blank as a plus.
        func text(_ name: String) -> String? { query[Substring(name)].map { String($0).replacing("+", with: " ") } }
        self.site = site
        prefilled = Self.typed(
            Dictionary(query.map { (String($0.key), String($0.value).replacing("+", with: " ")) }, uniquingKeysWith: { first, _ in first }))
        framed = text("embed").flatMap {
            $0.utf8.count <= 128 && $0.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "-") } ? $0 : nil
        }
        language = VisitorLanguage.of(request, site)
        words = PageWords(language)
        var offer = offer
        offer.type = offer.type.spoken(in: language)
        self.offer = offer
        // The list of zones says New York, not New_York.
        zone =
            text("timeZone").flatMap { TimeZone(iana: $0.replacing(" ", with: "_")) } ?? TimeZone(
                iana: offer.owner?.timeZone ?? site.timeZone) ?? .gmt
        let durations = offer.type.durations
        duration =
            text("duration").flatMap(Duration.init(written:)).flatMap { durations.contains($0) ? $0 : nil } ?? durations.first
            ?? .minutes(30)
        let today = CalendarDate(WallTime(now, in: zone))
        day = text("day").flatMap { CalendarDate($0) }.flatMap { $0 < today ? nil : $0 }
        let asked = text("month").flatMap { CalendarDate("\($0)-01") } ?? day?.firstOfMonth ?? today.firstOfMonth
        month = max(asked, today.firstOfMonth)
    }

    var path: String { "/book/\(offer.type.id)" + (offer.owner.map { "/\($0.id)" } ?? "") }

    /// The meeting's title, as far as it is known who hosts.
    var title: String {
        Placeholders.fill(offer.type.title, ["owner.name": offer.owner?.name ?? site.name, "site.name": site.name])
    }

    var description: String {
        Placeholders.fill(offer.type.description, ["owner.name": offer.owner?.name ?? site.name, "site.name": site.name])
    }

    /// Those fields that a visitor fills in.
    static func typed(_ fields: [String: String]) -> [String: String] {
        fields.filter { ($0.key.hasPrefix("q-") || ["name", "email", "note"].contains($0.key)) && !$0.value.isEmpty }
    }

    /// What every link and form carries along, beside what was filled in.
    var carried: [(String, String)] {
        [("timeZone", zone.identifier), ("duration", duration.inWords), ("language", language)] + (framed.map { [("embed", $0)] } ?? [])
    }

    /// What was filled in by the address, for links, and for forms that do not ask for it.
    var filled: [(String, String)] { prefilled.sorted { $0.key < $1.key }.map { ($0.key, $0.value) } }

    func url(month: CalendarDate? = nil, day: CalendarDate? = nil, _ more: [(String, String)] = []) -> String {
        var fields = carried + filled + more
        if let month { fields.append(("month", String(month.text.prefix(7)))) }
        if let day { fields.append(("day", day.text)) }
        return path + "?" + fields.map { "\($0)=\(Page.encoded($1))" }.joined(separator: "&")
    }

    /// The question for the slots of a stretch of time.
    var question: SlotService.Question {
        .init(meetingType: offer.type.id, owner: offer.owner?.id, duration: duration.inWords)
    }

    func time(_ start: Instant, _ end: Instant) -> ReaderTime {
        ReaderTime.of(start: start, end: end, timeZone: zone.identifier, language: language)
    }

    func part(_ start: Instant, _ end: Instant) -> TimePart { TimePart(start, end, zone: zone.identifier, language: language) }
}
