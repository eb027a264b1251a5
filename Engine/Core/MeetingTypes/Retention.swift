/// For how long what is personal is kept: `site.retention`. What is not written is kept for ever, but for forms.
public struct Retention: Hashable, Sendable {
    /// After a meeting's end: names, addresses, notes and answers of its guests are blanked.
    public var bookings: Duration?
    /// Lines of the audit.
    public var audit: Duration?
    /// What mail systems said, letters to owners, and mails that are kept because nobody knows whether they arrived.
    public var mailTexts: Duration?
    /// Forms of booking pages, confirmed or not.
    public var forms: Duration

    /// Takes each property as it is.
    public init(bookings: Duration? = nil, audit: Duration? = nil, mailTexts: Duration? = nil, forms: Duration = .days(30)) {
        self.bookings = bookings
        self.audit = audit
        self.mailTexts = mailTexts
        self.forms = forms
    }
}
