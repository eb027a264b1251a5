import UsherCore

// The small tables: what happened, links, processes, repeated calls, shared tokens.

/// A line of a booking's timeline: what happened to it.
package struct TimelineEntry: Hashable, Sendable {
    /// When it happened.
    package var at: Instant
    /// `booking.confirmed`, `meeting.created`, `mail.sent`, …
    package var event: String
    /// More about it, for people; may be empty.
    package var detail: String
    /// Whose doing it was; see ``Actor/name``.
    package var actor: String
}

extension TimelineEntry: JSONObject {
    /// As generated clients know it.
    package static let schemaName = "TimelineEntry"
    /// What happened, when, and whose doing it was.
    package static let fields: [JSONField<TimelineEntry>] = [
        .init("at", "When it happened.") { $0.at }, .init("event", "What happened, as booking.confirmed.") { $0.event },
        .init("detail", "More about it, to read.") { $0.detail },
        .init("actor", "key:…, owner:…, guest:…, admin:…, cli, or system.") { $0.actor },
    ]
}

/// Statements on timelines.
enum TimelineSQL: String, SQLStatement {
    case add = """
        INSERT INTO timeline (booking_id, seq, at, event, detail, actor)
        VALUES [[$1, (SELECT COALESCE(MAX(seq), 0) + {row} FROM timeline WHERE booking_id = $1), $2, $3, $4, $5]]
        """
    case ofBooking = "SELECT at, event, detail, actor FROM timeline WHERE booking_id = $1 ORDER BY seq"
    /// What the outbox knows is not written down a second time.
    case sentMails = "SELECT sent_at, kind, reader FROM outbox WHERE booking_id = $1 AND sent_at IS NOT NULL ORDER BY sent_at, id"

    static let texts: [String: StatementText] = texts()
}

/// Statements on the links in mails of bookings from before version 10 of the schema.
enum LinkSQL: String, SQLStatement {
    case ofBooking = "SELECT reader, purpose, sealed FROM links WHERE booking_id = $1"
    case newest = "SELECT booking_id, reader, purpose, sealed FROM links ORDER BY booking_id DESC LIMIT 1"
    case newestSecret = "SELECT id, link_secret FROM bookings ORDER BY id DESC LIMIT 1"
    case byHash = "SELECT booking_id, reader, purpose FROM links WHERE hash = $1"
}

/// A process that is at work.
package struct StoredProcess: Hashable, Sendable {
    package var id: String
    package var startedAt: Instant
    /// Its last sign of life.
    package var heartbeat: Instant
    /// Whether it is a server, which goes on with all work.
    package var serves: Bool
    /// The digest of the catalogue that it runs; empty for one that runs a file of its own.
    package var catalogue: String
    /// Of Usher.
    package var version: String
    /// The machine's name.
    package var host: String

    /// Takes each property as it is.
    package init(
        id: String, startedAt: Instant, heartbeat: Instant, serves: Bool, catalogue: String = "", version: String = "", host: String = ""
    ) {
        self.id = id
        self.startedAt = startedAt
        self.heartbeat = heartbeat
        self.serves = serves
        self.catalogue = catalogue
        self.version = version
        self.host = host
    }
}

/// Statements on the processes that are at work.
enum ProcessSQL: String, SQLStatement {
    case add = """
        INSERT INTO processes (id, started_at, heartbeat_at, serves, catalogue, version, host) VALUES ($1, $2, $3, $4, $5, $6, $7)
        ON CONFLICT (id) DO UPDATE SET heartbeat_at = excluded.heartbeat_at, catalogue = excluded.catalogue
        """
    case beat = "UPDATE processes SET heartbeat_at = $1, catalogue = $2 WHERE id = $3"
    case list = "SELECT id, heartbeat_at, serves, catalogue, version, host, started_at FROM processes ORDER BY started_at, id"
    case remove = "DELETE FROM processes WHERE id = $1"
}

/// Statements on calls that may be repeated.
enum IdempotencySQL: String, SQLStatement {
    case add = "INSERT INTO idempotency (scope, key, fingerprint, result, created_at) VALUES ($1, $2, $3, $4, $5)"
    case one = "SELECT fingerprint, result FROM idempotency WHERE scope = $1 AND key = $2 AND created_at > $3"
    case forget = "DELETE FROM idempotency WHERE created_at <= $1"
}

/// Statements on tokens that processes share.
enum TokenSQL: String, SQLStatement {
    case one = "SELECT sealed, expires_at, generation, lease_by, lease_until FROM tokens WHERE name = $1"
    case sealed = "SELECT name, sealed FROM tokens WHERE sealed <> '' LIMIT 1"
    case lease = """
        INSERT INTO tokens (name, sealed, expires_at, generation, lease_by, lease_until) VALUES ($1, '', 0, 0, $2, $3)
        ON CONFLICT (name) DO UPDATE SET lease_by = excluded.lease_by, lease_until = excluded.lease_until
        WHERE tokens.lease_until <= $4 OR tokens.lease_by = excluded.lease_by
        """
    case store = """
        UPDATE tokens SET sealed = $1, expires_at = $2, generation = generation + 1, lease_by = NULL, lease_until = 0
        WHERE name = $3 AND generation = $4
        """
    case unlease = "UPDATE tokens SET lease_by = NULL, lease_until = 0 WHERE name = $1 AND lease_by = $2"
    case unleaseAll = "UPDATE tokens SET lease_by = NULL, lease_until = 0 WHERE lease_by = $1"
}

extension Tx {
    /// Adds a line to a booking's timeline, in the name of whoever acts.
    package func note(_ bookingID: String, _ event: String, _ detail: String = "", at: Instant) {
        pending.timeline.append([.text(bookingID), SQLValue(at), .text(event), .text(detail), .text(actor.name)])
    }

    /// The lines of a booking's timeline, the oldest first; mails that were sent stand among them by their times.
    package func timeline(of bookingID: String) throws -> [TimelineEntry] {
        try writePendingTimeline()
        try writePendingMails()
        let lines = try query(TimelineSQL.ofBooking, .text(bookingID)).map {
            TimelineEntry(at: try $0.instant(0), event: try $0.text(1), detail: try $0.text(2), actor: try $0.text(3))
        }
        return try query(TimelineSQL.sentMails, .text(bookingID)).reduce(into: lines) { lines, row in
            let at = try row.instant(0)
            let detail = "\(try row.text(1)) to \(Reader(try row.text(2))?.role ?? "a reader")"
            lines.insert(
                TimelineEntry(at: at, event: "mail.sent", detail: detail, actor: Actor.system.name),
                at: lines.firstIndex { $0.at > at } ?? lines.endIndex)
        }
    }
}

extension Tx {
    /// The links of a booking that has no secret for them, one for each reader and purpose.
    package func links(of bookingID: String) throws -> [StoredLink] {
        try query(LinkSQL.ofBooking, .text(bookingID)).compactMap { row in
            guard let reader = Reader(try row.text(0)) else { return nil }
            return StoredLink(reader: reader, purpose: try known(row.text(1)), sealed: try row.text(2))
        }
    }
    /// The newest booking's secret for its links, or the newest link of before; sealed, and what it belongs to.
    package func newestSealedLink() throws -> (sealed: String, context: String)? {
        if let row = try query(LinkSQL.newestSecret).first, try !row.text(1).isEmpty {
            return (try row.text(1), StoredLink.context(booking: try row.text(0)))
        }
        guard let row = try query(LinkSQL.newest).first, let reader = Reader(try row.text(1)) else { return nil }
        let context = StoredLink.context(booking: try row.text(0), reader: reader, purpose: try known(row.text(2)))
        return (try row.text(3), context)
    }
    /// What the link of that hash opens, drawn before bookings had a secret; `nil` where there is none.
    package func link(hash: String) throws -> (booking: String, reader: Reader, purpose: StoredLink.Purpose)? {
        guard let row = try query(LinkSQL.byHash, .text(hash)).first, let reader = Reader(try row.text(1)) else { return nil }
        return (try row.text(0), reader, try known(row.text(2)))
    }
}

extension Tx {
    /// Enters a process, or its heartbeat where it is there.
    package func addProcess(_ process: StoredProcess) throws {
        try write(
            ProcessSQL.add, .text(process.id), SQLValue(process.startedAt), SQLValue(process.heartbeat), SQLValue(process.serves),
            .text(process.catalogue), .text(process.version), .text(process.host))
    }
    /// - Returns: `false` when others have declared this process dead.
    package func beat(_ id: String, catalogue: String, now: Instant) throws -> Bool {
        try execute(ProcessSQL.beat, SQLValue(now), .text(catalogue), .text(id)) == 1
    }
    /// The processes that are at work, with their last signs of life.
    package func processes() throws -> [StoredProcess] {
        try query(ProcessSQL.list).map { row in
            StoredProcess(
                id: try row.text(0), startedAt: try row.instant(6), heartbeat: try row.instant(1), serves: try row.bool(2),
                catalogue: try row.text(3), version: try row.text(4), host: try row.text(5))
        }
    }
    /// Takes a process off the list.
    package func removeProcess(_ id: String) throws { try write(ProcessSQL.remove, .text(id)) }
}

extension Tx {
    /// How long a repeated call is answered with what the first one left.
    package static let idempotencyLifetime = Duration.days(7)

    /// What a call under that key left; `nil` where there was none in ``idempotencyLifetime``. Whoever else asks waits until this
    /// transaction ends.
    package func idempotent(scope: String, key: String, now: Instant) throws -> (fingerprint: String, result: String)? {
        try session.lock(name: "\(scope) \(key)")
        return try query(IdempotencySQL.one, .text(scope), .text(key), SQLValue(now - Self.idempotencyLifetime)).first
            .map { (try $0.text(0), try $0.text(1)) }
    }
    /// Keeps what a call left, and forgets what is older than ``idempotencyLifetime``.
    package func remember(scope: String, key: String, fingerprint: String, result: String, now: Instant) throws {
        try write(IdempotencySQL.forget, SQLValue(now - Self.idempotencyLifetime))
        try write(IdempotencySQL.add, .text(scope), .text(key), .text(fingerprint), .text(result), SQLValue(now))
    }
}

/// What a call left that may be repeated.
package enum StoredRepeat {
    /// What a secret result is sealed for.
    package static func context(scope: String, key: String) -> String { "repeat:\(scope):\(key)" }
    /// Whether it is a sealed text, not an id.
    package static func isSealed(_ result: String) -> Bool { result.hasPrefix("v1.") }
}

/// A shared token as it lies in the database.
package struct StoredToken: Hashable, Sendable {
    /// The token, sealed.
    package var sealed: String
    /// When the provider takes it no more.
    package var expiresAt: Instant
    /// Counts the tokens that were stored under the name.
    package var generation: Int64

    /// What a token is sealed for.
    package static func context(_ name: String) -> String { "token:" + name }
}

extension Tx {
    /// The token of that name; `nil` where there never was one.
    package func token(_ name: String) throws -> StoredToken? {
        try query(TokenSQL.one, .text(name)).first.map {
            StoredToken(sealed: try $0.text(0), expiresAt: try $0.instant(1), generation: try $0.int(2))
        }
    }
    /// Some token, sealed, and what it belongs to.
    package func anySealedToken() throws -> (sealed: String, context: String)? {
        try query(TokenSQL.sealed).first.map { (try $0.text(1), StoredToken.context(try $0.text(0))) }
    }
    /// Takes the right to obtain a new token.
    /// - Returns: `false` while another process has it.
    package func leaseToken(_ name: String, process: String, now: Instant, until: Instant) throws -> Bool {
        try execute(TokenSQL.lease, .text(name), .text(process), SQLValue(until), SQLValue(now)) == 1
    }
    /// Stores a new token in place of the one of `generation`.
    /// - Returns: `false` when another has been stored meanwhile.
    package func storeToken(_ name: String, sealed: String, expiresAt: Instant, generation: Int64) throws -> Bool {
        try execute(TokenSQL.store, .text(sealed), SQLValue(expiresAt), .text(name), .int(generation)) == 1
    }
    /// Gives a lease back that `process` holds.
    package func unleaseToken(_ name: String, process: String) throws {
        try write(TokenSQL.unlease, .text(name), .text(process))
    }
    /// Gives all back that a process held which has died.
    package func unleaseTokens(of process: String) throws { try write(TokenSQL.unleaseAll, .text(process)) }
}
