import UsherCore

// What the admin's page looks at, across all owners.

package enum AdminSQL: String, SQLStatement {
    case search = """
        SELECT id, status, revision, starts_at, ends_at, time_zone, attendees, note, metadata, source, terms_id, meeting_status,
            provider, module, because, room, problem, changed_at, created_at FROM bookings
        WHERE id = $1 OR owner_id = $1 OR owner_id IN (SELECT id FROM owners WHERE LOWER(name) LIKE $2 ESCAPE '\\')
            OR LOWER(attendees) LIKE $2 ESCAPE '\\' ORDER BY starts_at DESC, id LIMIT $3
        """
    case connections = """
        SELECT owner_id, provider, module, client_id, account_id, tenant, email, name, scopes, sealed, generation, expires_at, health,
            problem, connected_at, refreshed_at FROM connections ORDER BY CASE WHEN health = 'ok' THEN 1 ELSE 0 END, owner_id, provider
        LIMIT $1
        """
    case refusedMails = """
        SELECT id, booking_id, revision, reader, kind, message_id, thread_id, written_at, state, maybe_delivered, problem, about, on_calendar,
            told, before, look, kept
        FROM outbox WHERE state = 'failed' ORDER BY written_at DESC LIMIT $1
        """
    case waitingMails = """
        SELECT o.id, o.booking_id, o.revision, o.reader, o.kind, o.message_id, o.thread_id, o.written_at, o.state, o.maybe_delivered,
            o.problem, o.about, o.on_calendar, o.told, o.before, o.look, o.kept
        FROM steps s JOIN outbox o ON o.id = s.subject WHERE s.kind = $1 ORDER BY o.written_at LIMIT $2
        """
    case notices = """
        SELECT subject, code, body, message_id, written_at, state, problem FROM notices WHERE state <> 'sent' ORDER BY written_at DESC LIMIT $1
        """
    case addSession = "INSERT INTO admin_sessions (hash, holder, expires_at) VALUES ($1, $2, $3)"
    case session = "SELECT holder FROM admin_sessions WHERE hash = $1 AND expires_at > $2"
    case removeSession = "DELETE FROM admin_sessions WHERE hash = $1"
    case extendSession = "UPDATE admin_sessions SET expires_at = $1 WHERE hash = $2 AND expires_at < $3"
    case removeSessionsOf = "DELETE FROM admin_sessions WHERE holder = $1"
    case forgetSessions = "DELETE FROM admin_sessions WHERE expires_at <= $1"
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

    package func addAdminSession(hash: String, holder: String, expiresAt: Instant, now: Instant) throws {
        try execute(AdminSQL.forgetSessions, SQLValue(now))
        try execute(AdminSQL.addSession, .text(hash), .text(holder), SQLValue(expiresAt))
    }
    /// Who signed in; `nil` for a session that is unknown or over.
    package func adminSession(hash: String, now: Instant) throws -> String? {
        try query(AdminSQL.session, .text(hash), SQLValue(now)).first?.text(0)
    }
    package func extendAdminSession(hash: String, to expiresAt: Instant, unlessAfter limit: Instant) throws {
        try execute(AdminSQL.extendSession, SQLValue(expiresAt), .text(hash), SQLValue(limit))
    }
    /// All sessions of one key end.
    package func removeAdminSessions(of holder: String) throws { try execute(AdminSQL.removeSessionsOf, .text(holder)) }
    package func removeAdminSession(hash: String) throws { try execute(AdminSQL.removeSession, .text(hash)) }
}
