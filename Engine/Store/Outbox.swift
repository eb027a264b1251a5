import UsherCore

/// The columns of `outbox` that are read.
enum OutboxColumn: Int, Column {
    case id, bookingID, revision, reader, kind, messageID, threadID, writtenAt, state, maybeDelivered, problem, dedupKey,
        onCalendar, snapshot, previous, look, kept, sentAt

    static let table = "outbox"
    static let renamed: [Self: String] = [.dedupKey: "about", .snapshot: "told", .previous: "before"]
}

/// Statements on the outbox.
enum OutboxSQL: String, SQLStatement {
    case insert = """
        INSERT INTO outbox ({outbox}) VALUES [[{$18}]]
        """
    case update = "UPDATE outbox SET state = $1, maybe_delivered = $2, problem = $3, look = $4, kept = $5, sent_at = $6 WHERE id = $7"
    case one = """
        SELECT {outbox}
        FROM outbox WHERE id = $1
        """
    case oldestUnsent = "SELECT MIN(o.written_at) FROM steps s JOIN outbox o ON o.id = s.subject WHERE s.kind = $1"
    /// In the order in which they tell, whatever the clocks of those who wrote them say: the news of a revision before its reminders.
    case ofBooking = """
        SELECT {outbox}
        FROM outbox WHERE booking_id = $1 ORDER BY revision, about, written_at, id
        """

    static let texts: [String: StatementText] = texts(OutboxColumn.self)
}

extension Tx {
    /// Adds a mail.
    package func insert(_ mail: OutboxMail) {
        pending.mails.append(mail)
        seen.mails[mail.id] = mail
        if let count = seen.mailCounts[mail.bookingID] { seen.mailCounts[mail.bookingID] = count + 1 }
    }

    func row(_ mail: OutboxMail) -> [SQLValue] {
        [
            .text(mail.id), .text(mail.bookingID), .int(mail.revision), .text(mail.reader.text), .text(mail.kind.rawValue),
            .text(mail.messageID), SQLValue(mail.threadID), SQLValue(mail.writtenAt), .text(mail.state.rawValue),
            SQLValue(mail.maybeDelivered), SQLValue(mail.problem), .text(mail.dedupKey), SQLValue(mail.onCalendar), .text(mail.snapshot),
            .text(mail.previous), .text(mail.look), .text(mail.kept), SQLValue(mail.sentAt),
        ]
    }

    /// Writes what changes of a mail: its state and its tries.
    package func update(_ mail: OutboxMail) throws {
        seen.mails[mail.id] = mail
        if let index = pending.mails.firstIndex(where: { $0.id == mail.id }) {
            pending.mails[index] = mail
            return
        }
        try write(
            OutboxSQL.update, .text(mail.state.rawValue), SQLValue(mail.maybeDelivered), SQLValue(mail.problem), .text(mail.look),
            .text(mail.kept), SQLValue(mail.sentAt), .text(mail.id))
    }

    /// The mail of that id, with the booking that it is about, both as they are once nobody else is at the booking.
    package func mailAndBooking(_ id: String) throws -> (mail: OutboxMail, booking: Booking)? {
        guard let found = try mail(id), let booking = try booking(found.bookingID) else { return nil }
        if session.locksRows, !pending.mails.contains(where: { $0.id == id }) { seen.mails[id] = nil }
        return try mail(id).map { ($0, booking) }
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
        if seen.mailCounts[bookingID] == 0 { return [] }
        try writePendingMails()
        return try query(OutboxSQL.ofBooking, .text(bookingID)).map(mail(from:))
    }

    func mail(from row: SQLRow) throws -> OutboxMail {
        let row = TableRow<OutboxColumn>(row)
        guard let reader = Reader(try row.text(.reader)) else {
            throw DatabaseError(.corrupt, "no reader is called '\(try row.text(.reader))'")
        }
        return OutboxMail(
            id: try row.text(.id), bookingID: try row.text(.bookingID), revision: try row.int(.revision), reader: reader,
            kind: try row.known(.kind),
            messageID: try row.text(.messageID), threadID: try row.optionalText(.threadID), writtenAt: try row.instant(.writtenAt),
            state: try row.known(.state), maybeDelivered: try row.bool(.maybeDelivered), problem: try row.optionalText(.problem),
            dedupKey: try row.text(.dedupKey), onCalendar: try row.bool(.onCalendar), snapshot: try row.text(.snapshot),
            previous: try row.text(.previous),
            look: try row.text(.look), kept: try row.text(.kept), sentAt: try row.optionalInstant(.sentAt))
    }
}
