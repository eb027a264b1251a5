import UsherCore
import UsherMail
import UsherPipeline
import UsherStore

/// What readers' own links lead to.
struct ReaderLinks: Sendable {
    let context: EngineContext
    let service: BookingService

    /// A booking as one of its readers sees it.
    struct Visit: Sendable {
        var booking: Booking
        var reader: Reader

        var timeZone: String {
            switch reader {
            case .owner: booking.terms.owner.timeZone
            case .attendee(let index): booking.attendees[index].timeZone
            }
        }
        /// Who acts through the link, for timeline and audit.
        var actor: String {
            switch reader {
            case .owner: "owner:\(booking.terms.owner.id)"
            case .attendee(let index): "guest:\(index)"
            }
        }
        /// What pages say to this reader.
        var words: PageWords { PageWords(language) }
        var language: String {
            switch reader {
            case .owner: booking.terms.owner.language
            case .attendee(let index): booking.attendees[index].language
            }
        }
    }

    /// - Returns: `nil` where the link leads nowhere.
    func visit(_ token: String, _ purpose: StoredLink.Purpose) async throws -> Visit? {
        try await context.store.read { tx in
            try Links(context).visitor(token, purpose, tx).map {
                var visit = Visit(booking: $0.booking, reader: $0.reader)
                visit.booking.terms.type = visit.booking.terms.type.spoken(in: visit.language)
                return visit
            }
        }
    }

    /// Where a guest of a cancelled booking books anew; `nil` where that cannot be done on a page.
    func again(_ visit: Visit) async throws -> AgainPart? {
        let terms = visit.booking.terms
        guard visit.reader != .owner, let offer = try await PageBookings(context, service).offer(terms.type.id, owner: terms.owner.id)
        else { return nil }
        return AgainPart(
            againPath: "/book/\(offer.type.id)/\(terms.owner.id)?language=\(visit.language)&timeZone=\(Page.encoded(visit.timeZone))",
            againName: visit.words(.again))
    }
}
