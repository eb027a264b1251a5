import UsherCore

/// A letter to an owner about something that needs them, beside the mails about a booking: one row for each subject.
package struct StoredNotice: Hashable, Sendable {
    /// How far a letter has come.
    package enum State: String, Sendable, CaseIterable { case queued, sent, failed }

    /// What it is about; see ``AlertSubject/text``.
    package var subject: String
    /// What is the matter: told once, until it is mended or something else is.
    package var code: String
    /// What the letter says, as JSON.
    package var body: String
    /// Without angle brackets.
    package var messageID: String
    /// When it was written; its `Date`.
    package var writtenAt: Instant
    /// How far it has come.
    package var state: State
    /// Why it was refused or is late, in the mail system's words.
    package var problem: String?

    /// Takes each property as it is.
    package init(
        subject: String, code: String, body: String, messageID: String, writtenAt: Instant, state: State = .queued, problem: String? = nil
    ) {
        self.subject = subject
        self.code = code
        self.body = body
        self.messageID = messageID
        self.writtenAt = writtenAt
        self.state = state
        self.problem = problem
    }
}

/// The columns of `notices` that are read.
enum NoticeColumn: Int, Column {
    case subject, code, body, messageID, writtenAt, state, problem

    static let table = "notices"
}

/// Statements on letters to owners.
enum NoticeSQL: String, SQLStatement {
    case save = """
        INSERT INTO notices ({notices}) VALUES ({$7})
        ON CONFLICT (subject) DO UPDATE SET code = excluded.code, body = excluded.body, message_id = excluded.message_id,
            written_at = excluded.written_at, state = excluded.state, problem = excluded.problem
        """
    case one = "SELECT {notices} FROM notices WHERE subject = $1"
    case remove = "DELETE FROM notices WHERE subject = $1"

    static let texts: [String: StatementText] = texts(NoticeColumn.self)
}

extension Tx {
    /// Keeps a letter, in place of a former one of the same subject.
    package func save(_ notice: StoredNotice) throws {
        try write(
            NoticeSQL.save, .text(notice.subject), .text(notice.code), .text(notice.body), .text(notice.messageID),
            SQLValue(notice.writtenAt), .text(notice.state.rawValue), SQLValue(notice.problem))
    }

    /// The letter about a subject.
    package func notice(_ subject: AlertSubject) throws -> StoredNotice? {
        try query(NoticeSQL.one, .text(subject.text)).first.map(notice(from:))
    }

    func notice(from row: SQLRow) throws -> StoredNotice {
        let row = TableRow<NoticeColumn>(row)
        return StoredNotice(
            subject: try row.text(.subject), code: try row.text(.code), body: try row.text(.body), messageID: try row.text(.messageID),
            writtenAt: try row.instant(.writtenAt), state: try row.known(.state), problem: try row.optionalText(.problem))
    }

    /// What it told of is mended: should it come again, it is told again.
    package func removeNotice(_ subject: AlertSubject) throws { try write(NoticeSQL.remove, .text(subject.text)) }
}
