import UsherCore

/// The tables, in the one dialect of both databases: text, 64-bit integers, instants in microseconds, booleans 0 and 1, JSON as text.
package enum Schema {
    /// Each entry brings the schema one version further; an entry that has been released never changes.
    package static let migrations: [[String]] = [
        version1, version2, version3, version4, version5, version6, version7, version8, version9, version10, version11,
        version12, version13, version14, version15, version16, version17, version18,
    ]

    /// The earliest version whose programs can work with a database of the present one: it has added, and changed nothing that they use.
    /// So servers of both go on side by side while the ones are replaced by the others.
    package static let earliestReader = 15

    /// Where a change leaves the row's former version behind (PostgreSQL): room for the next in the same page, and dead ones taken away
    /// early. https://www.postgresql.org/docs/15/sql-createtable.html#SQL-CREATETABLE-STORAGE-PARAMETERS
    package static let storage = ["steps", "processes", "tokens", "connections", "rate_limits"].map {
        """
        ALTER TABLE \($0) SET (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.01, autovacuum_vacuum_threshold = 100,
            autovacuum_vacuum_cost_delay = 0)
        """
    }

    /// What all servers together have asked of providers, by the day.
    private static let version18 = [
        """
        CREATE TABLE provider_calls (
            day BIGINT NOT NULL, provider TEXT NOT NULL, account TEXT NOT NULL, calls BIGINT NOT NULL,
            PRIMARY KEY (day, provider, account)) WITHOUT ROWID
        """
    ]

    /// Who signed in at `/admin` without a key, sealed; and the trace that a booking was made in.
    private static let version17 = [
        "ALTER TABLE admin_sessions ADD COLUMN person TEXT NOT NULL DEFAULT ''",
        "ALTER TABLE bookings ADD COLUMN trace TEXT NOT NULL DEFAULT ''",
    ]

    /// When a booking's guests were blanked; 0 where they were not.
    private static let version16 = ["ALTER TABLE bookings ADD COLUMN erased_at BIGINT NOT NULL DEFAULT 0"]

    /// Which installation it is. A program that does not know of it would send what is held.
    private static let version15 = [
        """
        CREATE TABLE installation (
            id TEXT PRIMARY KEY, secret TEXT NOT NULL, epoch TEXT NOT NULL, former_epoch TEXT NOT NULL, restored_at BIGINT NOT NULL,
            place TEXT NOT NULL, hold TEXT)
        """
    ]

    /// Services that tell of calendars' changes, and limits that hold over all servers.
    private static let version14 = [
        """
        CREATE TABLE calendar_subscriptions (
            calendar_id TEXT PRIMARY KEY, owner_id TEXT NOT NULL REFERENCES owners (id), kind TEXT NOT NULL, provider TEXT NOT NULL,
            sealed TEXT NOT NULL, remote TEXT, renew_at BIGINT NOT NULL)
        """,
        """
        CREATE TABLE rate_limits (
            name TEXT NOT NULL, key TEXT NOT NULL, left_milli BIGINT NOT NULL, at BIGINT NOT NULL, PRIMARY KEY (name, key)) WITHOUT ROWID
        """,
        "CREATE INDEX rate_limits_by_age ON rate_limits (at)",
    ]

    /// Calendars that make busy: a writer that does not know them would book over them.
    private static let version13 = [
        """
        CREATE TABLE calendars (
            id TEXT PRIMARY KEY, owner_id TEXT NOT NULL REFERENCES owners (id), kind TEXT NOT NULL, provider TEXT NOT NULL,
            account TEXT NOT NULL, remote_id TEXT, name TEXT NOT NULL, counts BIGINT NOT NULL, sealed TEXT NOT NULL, mark TEXT, as_of BIGINT,
            from_at BIGINT NOT NULL, to_at BIGINT NOT NULL, problem TEXT, is_told BIGINT NOT NULL, created_at BIGINT NOT NULL)
        """,
        "CREATE INDEX calendars_by_owner ON calendars (owner_id)",
        """
        CREATE TABLE calendar_busy (
            calendar_id TEXT NOT NULL, starts_at BIGINT NOT NULL, ends_at BIGINT NOT NULL, gone_since BIGINT,
            PRIMARY KEY (calendar_id, starts_at)) WITHOUT ROWID
        """,
        "CREATE TABLE time_off (id TEXT PRIMARY KEY, owner_id TEXT NOT NULL, first_day BIGINT NOT NULL, last_day BIGINT NOT NULL)",
        "CREATE INDEX time_off_by_owner ON time_off (owner_id, last_day)",
        "CREATE INDEX calendar_events_by_id ON calendar_events (event_id)",
        // Forms of booking pages that were taken: what waits for its mail's link, and what counts towards limits.
        """
        CREATE TABLE page_forms (
            id TEXT PRIMARY KEY, token_hash TEXT NOT NULL, hold_id TEXT NOT NULL, type TEXT NOT NULL, address TEXT NOT NULL,
            mail TEXT NOT NULL, sealed TEXT NOT NULL, state TEXT NOT NULL, booking_id TEXT, expires_at BIGINT NOT NULL,
            created_at BIGINT NOT NULL)
        """,
        "CREATE INDEX page_forms_by_token ON page_forms (token_hash) WHERE token_hash <> ''",
        "CREATE INDEX page_forms_by_address ON page_forms (address, created_at)",
        "CREATE INDEX page_forms_by_mail ON page_forms (mail, created_at)",
        "ALTER TABLE holds ADD COLUMN address TEXT NOT NULL DEFAULT ''",
        "ALTER TABLE bookings ADD COLUMN answers TEXT NOT NULL DEFAULT '{}'",
        // What a consent asks for beside what its module needs.
        "ALTER TABLE consents ADD COLUMN scopes TEXT NOT NULL DEFAULT ''",
    ]

    /// Hours and limits of owners, times that are held, and who was chosen among a pool's hosts.
    private static let version12 = [
        "ALTER TABLE owners ADD COLUMN schedule TEXT",
        "ALTER TABLE owners ADD COLUMN limits TEXT",
        "ALTER TABLE bookings ADD COLUMN pool TEXT NOT NULL DEFAULT ''",
        "ALTER TABLE bookings ADD COLUMN owner_because TEXT NOT NULL DEFAULT 'requested'",
        "CREATE INDEX bookings_of_pools ON bookings (pool, created_at) WHERE pool <> ''",
        """
        CREATE TABLE holds (
            id TEXT PRIMARY KEY, owner_id TEXT NOT NULL REFERENCES owners (id), type TEXT NOT NULL, starts_at BIGINT NOT NULL,
            ends_at BIGINT NOT NULL, expires_at BIGINT NOT NULL, holder TEXT NOT NULL, body TEXT NOT NULL, note TEXT NOT NULL, booking_id TEXT, is_told BIGINT NOT NULL,
            created_at BIGINT NOT NULL)
        """,
        "CREATE INDEX holds_by_owner ON holds (owner_id, starts_at)",
        "CREATE INDEX holds_by_holder ON holds (holder, expires_at)",
    ]

    /// The catalogues of the installation, and which of them each server runs. The tables that every commit writes to are trees of their
    /// keys alone.
    private static let version11 = [
        """
        CREATE TABLE steps_v11 (
            kind TEXT NOT NULL, subject TEXT NOT NULL, lane BIGINT NOT NULL, due_at BIGINT NOT NULL, claimed_by TEXT, fence BIGINT NOT NULL,
            attempt BIGINT NOT NULL, service TEXT NOT NULL DEFAULT '', again_at BIGINT,
            starts_at BIGINT NOT NULL DEFAULT \(Instant.never.microseconds), claimed_until BIGINT NOT NULL DEFAULT 0,
            PRIMARY KEY (kind, subject)) WITHOUT ROWID
        """,
        """
        INSERT INTO steps_v11 (kind, subject, lane, due_at, claimed_by, fence, attempt, service, again_at, starts_at, claimed_until)
        SELECT kind, subject, lane, due_at, claimed_by, fence, attempt, service, again_at, starts_at,
            CASE WHEN claimed_by IS NULL THEN 0 ELSE due_at END FROM steps
        """,
        "DROP TABLE steps",
        "ALTER TABLE steps_v11 RENAME TO steps",
        "CREATE INDEX steps_by_service ON steps (lane, service, due_at, starts_at) WHERE claimed_by IS NULL",
        "CREATE INDEX steps_in_trouble ON steps (kind, starts_at, subject) WHERE attempt > 2",
        "DROP INDEX rooms_by_id",
        "CREATE INDEX rooms_by_id ON rooms (room_id) WHERE room_id <> ''",
        """
        CREATE TABLE audit_v11 (
            id TEXT NOT NULL, at BIGINT NOT NULL, actor TEXT NOT NULL, action TEXT NOT NULL, subject TEXT NOT NULL,
            outcome TEXT NOT NULL, address TEXT NOT NULL, count BIGINT NOT NULL, PRIMARY KEY (at, id)) WITHOUT ROWID
        """,
        """
        INSERT INTO audit_v11 (id, at, actor, action, subject, outcome, address, count)
        SELECT id, at, actor, action, subject, outcome, address, count FROM audit
        """,
        "DROP TABLE audit",
        "ALTER TABLE audit_v11 RENAME TO audit",
        """
        CREATE TABLE timeline_v11 (
            booking_id TEXT NOT NULL, seq BIGINT NOT NULL, at BIGINT NOT NULL, event TEXT NOT NULL, detail TEXT NOT NULL,
            actor TEXT NOT NULL DEFAULT '', PRIMARY KEY (booking_id, seq)) WITHOUT ROWID
        """,
        """
        INSERT INTO timeline_v11 (booking_id, seq, at, event, detail, actor)
        SELECT booking_id, seq, at, event, detail, actor FROM timeline
        """,
        "DROP TABLE timeline",
        "ALTER TABLE timeline_v11 RENAME TO timeline",
        """
        CREATE TABLE catalogues (digest TEXT PRIMARY KEY, number BIGINT NOT NULL, body TEXT NOT NULL, adopted_at BIGINT NOT NULL)
        """,
        "ALTER TABLE processes ADD COLUMN catalogue TEXT NOT NULL DEFAULT ''",
        "ALTER TABLE processes ADD COLUMN version TEXT NOT NULL DEFAULT ''",
        "ALTER TABLE processes ADD COLUMN host TEXT NOT NULL DEFAULT ''",
        "ALTER TABLE schema_versions ADD COLUMN earliest_reader BIGINT NOT NULL DEFAULT 0",
    ]

    /// A booking's links are derived from one secret; a mail that was sent says when.
    private static let version10 = [
        "ALTER TABLE bookings ADD COLUMN link_secret TEXT NOT NULL DEFAULT ''",
        "ALTER TABLE outbox ADD COLUMN sent_at BIGINT",
    ]

    /// No table changes: an earlier Usher does not know the state `given-up` of a calendar's event, and must not start.
    private static let version9: [String] = []

    private static let version8 = [
        // Whether the owner has been taken out since.
        "ALTER TABLE revocations ADD COLUMN of_former BIGINT NOT NULL DEFAULT 0"
    ]

    /// What is known of providers' health, and of connections that were lost; who did what.
    private static let version7 = [
        """
        CREATE TABLE provider_health (
            provider TEXT PRIMARY KEY, failing_since BIGINT NOT NULL, problem TEXT NOT NULL, failures BIGINT NOT NULL,
            seen_at BIGINT NOT NULL)
        """,
        """
        CREATE TABLE lost_connections (
            owner_id TEXT NOT NULL, provider TEXT NOT NULL, email TEXT NOT NULL, lost_at BIGINT NOT NULL,
            PRIMARY KEY (owner_id, provider))
        """,
        """
        CREATE TABLE revocations (
            id TEXT PRIMARY KEY, owner_id TEXT NOT NULL, provider TEXT NOT NULL, client_id TEXT NOT NULL, account_id TEXT NOT NULL,
            email TEXT NOT NULL, sealed TEXT NOT NULL, app TEXT NOT NULL, since BIGINT NOT NULL, given_up BIGINT NOT NULL)
        """,
        """
        CREATE TABLE audit (
            id TEXT PRIMARY KEY, at BIGINT NOT NULL, actor TEXT NOT NULL, action TEXT NOT NULL, subject TEXT NOT NULL,
            outcome TEXT NOT NULL, address TEXT NOT NULL, count BIGINT NOT NULL)
        """,
        "CREATE INDEX audit_by_time ON audit (at, id)",
        "ALTER TABLE timeline ADD COLUMN actor TEXT NOT NULL DEFAULT ''",
        "ALTER TABLE webhooks ADD COLUMN manage_page BIGINT NOT NULL DEFAULT 0",
        "ALTER TABLE processes ADD COLUMN serves BIGINT NOT NULL DEFAULT 0",
        // The owner's session that a consent was begun in.
        "ALTER TABLE consents ADD COLUMN session TEXT NOT NULL DEFAULT ''",
        "ALTER TABLE consents ADD COLUMN revocation TEXT NOT NULL DEFAULT ''",
    ]
}
