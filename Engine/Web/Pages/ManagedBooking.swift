/// A booking that a reader may move or cancel, and where the page for it stands.
struct ManagedBooking {
    var visit: ReaderLinks.Visit
    /// The page's own address.
    var page: String
    /// What its forms' addresses begin with.
    var action: String
    /// What its forms carry along.
    var carried: [(String, String)] = []
    /// To where the reader came from.
    var back: WayPart?

    /// With a query's value.
    func page(_ name: String, _ value: String) -> String {
        "\(page)\(page.contains("?") ? "&" : "?")\(name)=\(Page.encoded(value))"
    }
}
