/// `message.html.mustache`: a page that says something or asks, and leads on.
struct MessagePart: Sendable {
    /// A time, and the button that answers for it.
    struct Asked: Sendable {
        var time: TimePart
        var press: FormButton?
    }

    var asked: [Asked] = []
    var notice: NoticePart?
    var lines: [String] = []
    var offered: TimesPart?
    var buttons: [FormButton] = []
    var ways: [WayPart] = []
    var calendars: CalendarsPart?

    /// As a page's body.
    var html: HTML { HTML(.message, self) }
}
