import UsherCore

/// Who did what to which subject, from where, and how it ended. Rows are only ever added; equal failures of one address are counted
/// in one row for each hour.
package struct AuditEntry: Hashable, Sendable {
    /// `au_…`
    package var id: String
    /// When it was done; when the hour began, where it is counted.
    package var at: Instant
    /// Who did it, and from where.
    package var actor: Actor
    /// `booking.cancel`, `admin.sign-in`.
    package var action: String
    /// To what: an id, or `owner/provider`; empty for nothing.
    package var subject: String
    /// `done`, or the code of the refusal.
    package var outcome: String
    /// How often within the hour; 1 where it is not counted.
    package var count: Int64

    /// Takes each property as it is.
    package init(id: String, at: Instant, actor: Actor, action: String, subject: String, outcome: String, count: Int64) {
        self.id = id
        self.at = at
        self.actor = actor
        self.action = action
        self.subject = subject
        self.outcome = outcome
        self.count = count
    }
}

extension AuditEntry: JSONObject {
    /// As generated clients know it.
    package static let schemaName = "AuditEntry"
    /// Who did what to which subject, from where, and how it ended.
    package static let fields: [JSONField<AuditEntry>] = [
        .init("id", "Of the line, growing.") { $0.id }, .init("at", "When it happened.") { $0.at },
        .init("actor", "key:…, owner:…, guest:…, admin:…, cli, system, or nobody.") { $0.actor.name },
        .init("action", "What was done, as booking.cancel.") { $0.action },
        .init("subject", "To what.") { $0.subject }, .init("outcome", "done, or the code of the refusal.") { $0.outcome },
        .init("address", "Where it came from; empty where that is not known.") { $0.actor.address },
        .init("count", "How often, where equal ones were counted together.") { $0.count },
    ]
}

/// The columns of `audit` that are read.
enum AuditColumn: Int, Column {
    case id, at, actor, action, subject, outcome, address, count

    static let table = "audit"
}

/// Statements on the audit.
enum AuditSQL: String, SQLStatement {
    case add = """
        INSERT INTO audit ({audit}) VALUES ({$8})
        ON CONFLICT (at, id) DO UPDATE SET count = audit.count + excluded.count
        """
    case page = """
        SELECT {audit} FROM audit
        WHERE at < $1 OR (at = $1 AND id < $2) ORDER BY at DESC, id DESC LIMIT $3
        """
    case guestMoves = """
        SELECT COUNT(*) FROM audit a JOIN bookings b ON b.id = a.subject
        WHERE a.at >= $1 AND a.action = 'booking.reschedule' AND a.actor LIKE 'guest:%' AND b.owner_id = $2
        """

    static let texts: [String: StatementText] = texts(AuditColumn.self)
}

extension Tx {
    /// Writes down what is done in this transaction, on whose account it is.
    /// - Parameter id: sorts by time of making.
    package func audit(_ action: String, _ subject: String, by name: String? = nil, id: String, at now: Instant) throws {
        let actor = name.map { Actor($0, address: self.actor.address) } ?? self.actor
        try audit(AuditEntry(id: id, at: now, actor: actor, action: action, subject: subject, outcome: "done", count: 1))
    }

    /// Adds an entry, or its count to one of the same id.
    package func audit(_ entry: AuditEntry) throws {
        try write(
            AuditSQL.add, .text(entry.id), SQLValue(entry.at), .text(entry.actor.name), .text(entry.action), .text(entry.subject),
            .text(entry.outcome), .text(entry.actor.address), .int(entry.count))
    }

    /// The newest first, those before `before`.
    package func audit(before: (at: Instant, id: String), limit: Int) throws -> [AuditEntry] {
        try query(AuditSQL.page, SQLValue(before.at), .text(before.id), .int(Int64(limit))).map {
            let row = TableRow<AuditColumn>($0)
            return AuditEntry(
                id: try row.text(.id), at: try row.instant(.at), actor: Actor(try row.text(.actor), address: try row.text(.address)),
                action: try row.text(.action),
                subject: try row.text(.subject), outcome: try row.text(.outcome), count: try row.int(.count))
        }
    }

    /// How often guests have moved an owner's bookings since `start`.
    package func guestMoves(owner: String, since start: Instant) throws -> Int64 {
        try query(AuditSQL.guestMoves, SQLValue(start), .text(owner))[0].int(0)
    }
}
