import UsherCore

// What the admin's page looks at, across all owners.

enum AdminSQL: String, SQLStatement {
    case search = """
        SELECT {bookings} FROM bookings
        WHERE id = $1 OR owner_id = $1 OR owner_id IN (SELECT id FROM owners WHERE LOWER(name) LIKE $2 ESCAPE '\\')
            OR LOWER(attendees) LIKE $2 ESCAPE '\\' ORDER BY starts_at DESC, id LIMIT $3
        """
    case connections = """
        SELECT {connections} FROM connections ORDER BY CASE WHEN health = 'ok' THEN 1 ELSE 0 END, owner_id, provider
        LIMIT $1
        """
    case refusedMails = """
        SELECT {outbox}
        FROM outbox WHERE state = 'failed' ORDER BY written_at DESC LIMIT $1
        """
    case waitingMails = """
        SELECT {o.outbox}
        FROM steps s JOIN outbox o ON o.id = s.subject WHERE s.kind = $1 ORDER BY o.written_at LIMIT $2
        """
    case notices = """
        SELECT {notices} FROM notices WHERE state <> 'sent' ORDER BY written_at DESC LIMIT $1
        """
    case addSession = "INSERT INTO admin_sessions (hash, holder, expires_at, person) VALUES ($1, $2, $3, $4)"
    case session = "SELECT holder, person, expires_at FROM admin_sessions WHERE hash = $1 AND expires_at > $2"
    case removeSession = "DELETE FROM admin_sessions WHERE hash = $1"
    case extendSession = "UPDATE admin_sessions SET expires_at = $1 WHERE hash = $2 AND expires_at < $3"
    case removeSessionsOf = "DELETE FROM admin_sessions WHERE holder = $1"
    case forgetSessions = "DELETE FROM admin_sessions WHERE expires_at <= $1"

    static let texts: [String: StatementText] = texts(BookingColumn.self, ConnectionColumn.self, OutboxColumn.self, NoticeColumn.self)
}

extension Tx {
    private static let lookedThrough = 20

    /// Bookings of that id, of that owner, or with that in an attendee's name or address; the latest start first.
    package func bookings(matching text: String, limit: Int) throws -> [Booking] {
        // As SQLite's LOWER: ASCII alone.
        let lowered = String(
            String.UnicodeScalarView(text.unicodeScalars.map { $0.isASCII ? Unicode.Scalar(String($0).lowercased()) ?? $0 : $0 }))
        // Attendees lie as JSON: what is escaped there is looked for escaped, and then looked at plain.
        let written = String(JSON.string(lowered).serialized.dropFirst().dropLast())
        let pattern = written.replacing("\\", with: "\\\\").replacing("%", with: "\\%").replacing("_", with: "\\_")
        let found = try query(AdminSQL.search, .text(text), .text("%\(pattern)%"), .int(Int64(limit * Self.lookedThrough)))
            .map(booking(from:))
        let wanted = text.lowercased()
        let fitting = found.filter { booking in
            let words = booking.attendees.flatMap { [$0.name, $0.email] } + [booking.terms.owner.name]
            return booking.id == text || booking.terms.owner.id == text || words.contains { $0.lowercased().contains(wanted) }
        }
        return Array(fitting.prefix(limit))
    }

    /// Everybody's connections, those that need somebody first.
    package func connections(limit: Int) throws -> [StoredConnection] {
        try query(AdminSQL.connections, .int(Int64(limit))).map(connection(from:))
    }

    /// Mails that were refused for good, the newest first.
    package func refusedMails(limit: Int) throws -> [OutboxMail] {
        try query(AdminSQL.refusedMails, .int(Int64(limit))).map(mail(from:))
    }

    /// Mails that have not left yet, the oldest first.
    package func waitingMails(limit: Int) throws -> [OutboxMail] {
        try query(AdminSQL.waitingMails, .text(Job.Kind.deliver.rawValue), .int(Int64(limit))).map(mail(from:))
    }

    /// Letters to owners that were refused or wait, the newest first.
    package func unsentNotices(limit: Int) throws -> [StoredNotice] {
        try query(AdminSQL.notices, .int(Int64(limit))).map(notice(from:))
    }

    package func addAdminSession(_ session: StoredAdminSession, hash: String, now: Instant) throws {
        try forgetAdminSessions(now: now)
        try write(
            AdminSQL.addSession, .text(hash), .text(session.holder), SQLValue(session.expiresAt), .text(session.person))
    }
    /// Deletes those that are over.
    package func forgetAdminSessions(now: Instant) throws { try write(AdminSQL.forgetSessions, SQLValue(now)) }
    /// `nil` for a session that is unknown or over.
    package func adminSession(hash: String, now: Instant) throws -> StoredAdminSession? {
        try query(AdminSQL.session, .text(hash), SQLValue(now)).first.map {
            StoredAdminSession(holder: try $0.text(0), person: try $0.text(1), expiresAt: try $0.instant(2))
        }
    }
    package func extendAdminSession(hash: String, to expiresAt: Instant, unlessAfter limit: Instant) throws {
        try write(AdminSQL.extendSession, SQLValue(expiresAt), .text(hash), SQLValue(limit))
    }
    /// All sessions of one key, or of one person, end.
    package func removeAdminSessions(of holder: String) throws { try write(AdminSQL.removeSessionsOf, .text(holder)) }
    package func removeAdminSession(hash: String) throws { try write(AdminSQL.removeSession, .text(hash)) }
}

/// Somebody's session at `/admin`.
package struct StoredAdminSession: Hashable, Sendable {
    /// What it is sealed for.
    package static let context = "admin session"

    /// What ends it with itself: a key, or a person.
    package var holder: String
    /// Who a person is who signed in without a key, sealed; else empty.
    package var person: String
    /// When it ends, unless it is used before.
    package var expiresAt: Instant

    /// Takes each property as it is.
    package init(holder: String, person: String = "", expiresAt: Instant) {
        self.holder = holder
        self.person = person
        self.expiresAt = expiresAt
    }
}
