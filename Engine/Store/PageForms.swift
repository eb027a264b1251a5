import UsherCore

/// A form of a booking page that was taken.
package struct StoredPageForm: Hashable, Sendable {
    /// What became of it.
    package enum State: String, Sendable, CaseIterable {
        /// The guest is to press the link of a mail.
        case waiting
        case booked
        /// Another form was filled in for the same time; it counts all the same.
        case replaced
    }

    /// `pf_…`
    package var id: String
    /// SHA-256 of the link's token; empty where none was needed.
    package var tokenHash: String
    /// The time that is kept for it.
    package var holdID: String
    /// The meeting type's id.
    package var type: String
    /// Whom it counts for: the visitor's address, or their network.
    package var address: String
    /// Whom it counts for: a hash of the mail address, whatever its tags.
    package var mail: String
    /// What was filled in, sealed; empty once it is booked.
    package var sealed: String
    /// What became of it.
    package var state: State
    /// The booking that was made of it.
    package var bookingID: String?
    /// When the link ends.
    package var expiresAt: Instant
    /// When it was taken.
    package var createdAt: Instant

    /// Takes each property as it is.
    package init(
        id: String, tokenHash: String, holdID: String, type: String, address: String, mail: String, sealed: String, state: State,
        bookingID: String? = nil, expiresAt: Instant, createdAt: Instant
    ) {
        self.id = id
        self.tokenHash = tokenHash
        self.holdID = holdID
        self.type = type
        self.address = address
        self.mail = mail
        self.sealed = sealed
        self.state = state
        self.bookingID = bookingID
        self.expiresAt = expiresAt
        self.createdAt = createdAt
    }

    /// What its secrets are sealed for.
    package static func context(_ id: String) -> String { "page-form:" + id }
}

/// The columns of `page_forms`.
enum PageFormColumn: Int, Column {
    case id, tokenHash, holdID, type, address, mail, sealed, state, bookingID, expiresAt, createdAt

    static let table = "page_forms"
}

/// Statements on forms of booking pages.
enum PageFormSQL: String, SQLStatement {
    case add = "INSERT INTO page_forms ({page_forms}) VALUES ({$11})"
    case one = "SELECT {page_forms} FROM page_forms WHERE id = $1"
    case byToken = "SELECT {page_forms} FROM page_forms WHERE token_hash = $1"
    case book = "UPDATE page_forms SET state = 'booked', booking_id = $1, sealed = '' WHERE id = $2"
    case ofHold = "SELECT {page_forms} FROM page_forms WHERE hold_id = $1 AND state = 'waiting'"
    case replace = "UPDATE page_forms SET state = 'replaced', sealed = '', token_hash = '' WHERE id = $1"
    case remove = "DELETE FROM page_forms WHERE id = $1"
    case ofAddress = "SELECT COUNT(*) FROM page_forms WHERE address = $1 AND created_at > $2"
    case ofMail = "SELECT COUNT(*) FROM page_forms WHERE mail = $1 AND created_at > $2"
    case forget = "DELETE FROM page_forms WHERE created_at < $1"

    static let texts: [String: StatementText] = texts(PageFormColumn.self)
}

extension Tx {
    /// Adds a form, and forgets those that count no more.
    package func add(_ form: StoredPageForm, forgetting before: Instant) throws {
        try write(PageFormSQL.forget, SQLValue(before))
        try write(
            PageFormSQL.add, .text(form.id), .text(form.tokenHash), .text(form.holdID), .text(form.type), .text(form.address),
            .text(form.mail), .text(form.sealed), .text(form.state.rawValue), SQLValue(form.bookingID), SQLValue(form.expiresAt),
            SQLValue(form.createdAt))
    }

    /// The form of that id.
    package func pageForm(_ id: String) throws -> StoredPageForm? { try query(PageFormSQL.one, .text(id)).first.map(form(from:)) }
    /// The form that a link leads to.
    package func pageForm(tokenHash: String) throws -> StoredPageForm? {
        try query(PageFormSQL.byToken, .text(tokenHash)).first.map(form(from:))
    }
    /// A form became a booking; what was filled in stands there.
    package func book(pageForm id: String, as booking: String) throws { try write(PageFormSQL.book, .text(booking), .text(id)) }
    /// How many forms of a visitor were taken since a time.
    package func pageForms(ofAddress address: String, since: Instant) throws -> Int64 {
        try query(PageFormSQL.ofAddress, .text(address), SQLValue(since))[0].int(0)
    }
    /// How many forms with a mail address were taken since a time.
    package func pageForms(ofMail mail: String, since: Instant) throws -> Int64 {
        try query(PageFormSQL.ofMail, .text(mail), SQLValue(since))[0].int(0)
    }
    /// The form that waits with a hold.
    package func waitingPageForm(ofHold hold: String) throws -> StoredPageForm? {
        try query(PageFormSQL.ofHold, .text(hold)).first.map(form(from:))
    }
    /// A form makes way for another one.
    package func replace(pageForm id: String) throws { try write(PageFormSQL.replace, .text(id)) }
    /// Forgets a form of which nothing came.
    package func remove(pageForm id: String) throws { try write(PageFormSQL.remove, .text(id)) }
    /// Lets the forms of booking pages be counted and taken one after the other.
    package func lockPageForms() throws { try session.lock(name: "page forms") }

    private func form(from row: SQLRow) throws -> StoredPageForm {
        let row = TableRow<PageFormColumn>(row)
        return StoredPageForm(
            id: try row.text(.id), tokenHash: try row.text(.tokenHash), holdID: try row.text(.holdID), type: try row.text(.type),
            address: try row.text(.address), mail: try row.text(.mail), sealed: try row.text(.sealed), state: try row.known(.state),
            bookingID: try row.optionalText(.bookingID), expiresAt: try row.instant(.expiresAt), createdAt: try row.instant(.createdAt))
    }
}
