import Hummingbird
import UsherCore
import UsherMail
import UsherPipeline

/// `/`: where a person ends who has the server's address and no link.
struct HomePage: Sendable {
    let context: EngineContext
    let bookings: PageBookings

    init(_ context: EngineContext, _ service: BookingService) {
        self.context = context
        bookings = PageBookings(context, service)
    }

    /// The values of `home.html.mustache`.
    private struct Values {
        var booking: String?
        var invited, hosts: String
    }

    func add(to router: Router<WebContext>) {
        router.get("/") { request, _ in
            let site = context.catalog.current.site
            let words = PageWords(SiteFrame.current.language)
            let values = Values(
                booking: bookings.listed.isEmpty ? nil : words(.pages), invited: words(.invited), hosts: words(.hosts))
            return Page.response(.ok, site.name, HTML(.home, values), words: words, isPublic: true)
        }
    }
}
