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

    func add(to router: Router<WebContext>) {
        router.get("/") { request, _ in
            let site = context.catalog.current.site
            let words = PageWords(BookVisit.language(request, site))
            let book: HTML = bookings.listed.isEmpty ? "" : "<p><a class=button href=\"/book\">\(words(.pages))</a></p>"
            let doors: HTML = "<p class=quiet><a href=\"/admin\">Admin</a> · <a href=\"/docs\">API</a></p>"
            return Page.response(
                .ok, site.name, book + "<p>\(words(.invited))</p><p>\(words(.hosts))</p>" + doors, words: words, isPublic: true)
        }
    }
}
