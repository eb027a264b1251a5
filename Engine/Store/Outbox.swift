import UsherCore

/// Statements on the outbox.
package enum OutboxSQL: String, SQLStatement {
    case insert = """
        INSERT INTO outbox (id, booking_id, revision, reader, kind, message_id, thread_id, written_at, state, maybe_delivered, problem,
            about, on_calendar, told, before, look, kept)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17)
        """
    case update = "UPDATE outbox SET state = $1, maybe_delivered = $2, problem = $3, look = $4, kept = $5 WHERE id = $6"
    case one = """
        SELECT id, booking_id, revision, reader, kind, message_id, thread_id, written_at, state, maybe_delivered, problem, about, on_calendar,
            told, before, look, kept
        FROM outbox WHERE id = $1
        """
    case oldestUnsent = "SELECT MIN(o.written_at) FROM steps s JOIN outbox o ON o.id = s.subject WHERE s.kind = $1"
    /// In the order in which they tell, whatever the clocks of those who wrote them say: the news of a revision before its reminders.
    case ofBooking = """
        SELECT id, booking_id, revision, reader, kind, message_id, thread_id, written_at, state, maybe_delivered, problem, about, on_calendar,
            told, before, look, kept
        FROM outbox WHERE booking_id = $1 ORDER BY revision, about, written_at, id
        """
}

extension Tx {
    /// Adds a mail.
    package func insert(_ mail: OutboxMail) throws {
        try execute(
            OutboxSQL.insert, .text(mail.id), .text(mail.bookingID), .int(mail.revision), .text(mail.reader.text),
            .text(mail.kind.rawValue), .text(mail.messageID), SQLValue(mail.threadID), SQLValue(mail.writtenAt),
            .text(mail.state.rawValue), SQLValue(mail.maybeDelivered), SQLValue(mail.problem), .text(mail.dedupKey),
            SQLValue(mail.onCalendar), .text(mail.snapshot), .text(mail.previous), .text(mail.look), .text(mail.kept))
        seen.mails[mail.id] = mail
    }

    /// Writes what changes of a mail: its state and its tries.
    package func update(_ mail: OutboxMail) throws {
        try execute(
            OutboxSQL.update, .text(mail.state.rawValue), SQLValue(mail.maybeDelivered), SQLValue(mail.problem), .text(mail.look),
            .text(mail.kept), .text(mail.id))
        seen.mails[mail.id] = mail
    }

    /// The mail of that id.
    package func mail(_ id: String) throws -> OutboxMail? {
        if let known = seen.mails[id] { return known }
        let mail = try query(OutboxSQL.one, .text(id)).first.map(mail(from:))
        seen.mails[id] = mail
        return mail
    }

    /// When the oldest mail was written that has not left yet.
    package func oldestUnsentMail() throws -> Instant? {
        try query(OutboxSQL.oldestUnsent, .text(Job.Kind.deliver.rawValue))[0].optionalInt(0).map(Instant.init(microseconds:))
    }

    /// The mails of a booking, in the order in which they were written.
    package func mails(of bookingID: String) throws -> [OutboxMail] {
        try query(OutboxSQL.ofBooking, .text(bookingID)).map(mail(from:))
    }

    func mail(from row: SQLRow) throws -> OutboxMail {
        guard let reader = Reader(try row.text(3)) else { throw DatabaseError(.corrupt, "no reader is called '\(try row.text(3))'") }
        return OutboxMail(
            id: try row.text(0), bookingID: try row.text(1), revision: try row.int(2), reader: reader, kind: try known(row.text(4)),
            messageID: try row.text(5), threadID: try row.optionalText(6), writtenAt: try row.instant(7),
            state: try known(row.text(8)), maybeDelivered: try row.bool(9), problem: try row.optionalText(10),
            dedupKey: try row.text(11), onCalendar: try row.bool(12), snapshot: try row.text(13), previous: try row.text(14),
            look: try row.text(15), kept: try row.text(16))
    }
}
