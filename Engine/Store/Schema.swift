import UsherCore

/// The tables, in the one dialect of both databases: text, 64-bit integers, instants in microseconds, booleans 0 and 1, JSON as text.
package enum Schema {
    /// Each entry brings the schema one version further; an entry that has been released never changes.
    package static let migrations: [[String]] = [
        version1, version2, version3, version4, version5, version6, version7, version8, version9, version10, version11,
    ]

    /// The earliest version whose programs can work with a database of the present one: it has added, and changed nothing that they use.
    /// So servers of both go on side by side while the ones are replaced by the others.
    package static let earliestReader = 11

    /// Where a change leaves the row's former version behind (PostgreSQL): room for the next in the same page, and dead ones taken away
    /// early. https://www.postgresql.org/docs/15/sql-createtable.html#SQL-CREATETABLE-STORAGE-PARAMETERS
    package static let storage = ["steps", "processes", "tokens", "connections"].map {
        """
        ALTER TABLE \($0) SET (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.01, autovacuum_vacuum_threshold = 100,
            autovacuum_vacuum_cost_delay = 0)
        """
    }

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

    /// Work is claimed by service and by the meeting that it is for; what is asked for during a try is kept. Mails are sent again as they
    /// were sent first.
    private static let version6 = [
        "ALTER TABLE steps ADD COLUMN again_at BIGINT",
        "ALTER TABLE steps ADD COLUMN starts_at BIGINT NOT NULL DEFAULT \(Instant.never.microseconds)",
        "DROP INDEX steps_by_due",
        "CREATE INDEX steps_by_service ON steps (lane, service, due_at, starts_at)",
        "CREATE INDEX steps_in_trouble ON steps (kind, starts_at, subject) WHERE attempt > 2",
        // A failed booking's step rested for ever; now it ends with the meeting.
        "UPDATE steps SET due_at = 0 WHERE kind = 'provision' AND claimed_by IS NULL AND due_at >= \(Instant.never.microseconds)",
        "ALTER TABLE outbox ADD COLUMN look TEXT NOT NULL DEFAULT ''",
        "ALTER TABLE outbox ADD COLUMN kept TEXT NOT NULL DEFAULT ''",
        "CREATE INDEX outbox_kept ON outbox (id) WHERE kept <> ''",
    ]

    /// Looks that read no more than they need: for overlaps, and for work beside a service that has its share.
    private static let version5 = [
        "CREATE INDEX bookings_exclusive ON bookings (owner_id, starts_at) WHERE overlap_allowed = 0",
        "ALTER TABLE steps ADD COLUMN service TEXT NOT NULL DEFAULT ''",
        "DROP INDEX steps_by_due",
        "CREATE INDEX steps_by_due ON steps (lane, due_at, service)",
    ]

    /// Webhooks out, the admin's sessions, and repeated calls of every kind.
    private static let version4 = [
        "ALTER TABLE idempotency RENAME COLUMN booking_id TO result",
        """
        CREATE TABLE webhooks (
            id TEXT PRIMARY KEY, url TEXT NOT NULL, events TEXT NOT NULL, sealed TEXT NOT NULL, former TEXT NOT NULL,
            former_until BIGINT NOT NULL, state TEXT NOT NULL, problem TEXT, failing_since BIGINT NOT NULL, created_at BIGINT NOT NULL)
        """,
        """
        CREATE TABLE deliveries (
            id TEXT PRIMARY KEY, webhook_id TEXT NOT NULL REFERENCES webhooks (id), subject TEXT NOT NULL, seq BIGINT NOT NULL,
            type TEXT NOT NULL, body TEXT NOT NULL, state TEXT NOT NULL, attempts BIGINT NOT NULL, due_at BIGINT NOT NULL,
            tried_at BIGINT, answer BIGINT, problem TEXT, created_at BIGINT NOT NULL)
        """,
        "CREATE UNIQUE INDEX deliveries_in_order ON deliveries (webhook_id, subject, seq)",
        "CREATE INDEX deliveries_by_webhook ON deliveries (webhook_id, created_at)",
        "CREATE INDEX deliveries_waiting ON deliveries (created_at) WHERE state = 'waiting'",
        "CREATE INDEX deliveries_by_age ON deliveries (created_at)",
        "CREATE TABLE admin_sessions (hash TEXT PRIMARY KEY, holder TEXT NOT NULL, expires_at BIGINT NOT NULL)",
        "CREATE INDEX outbox_refused ON outbox (written_at) WHERE state = 'failed'",
        "CREATE INDEX bookings_in_trouble ON bookings (starts_at) WHERE problem IS NOT NULL",
    ]

    /// Organisations' own apps, owners' calendars, and letters to owners about what needs them.
    private static let version3 = [
        """
        CREATE TABLE owner_apps (
            owner_id TEXT NOT NULL REFERENCES owners (id), provider TEXT NOT NULL, client_id TEXT NOT NULL, sealed TEXT NOT NULL,
            created_at BIGINT NOT NULL, PRIMARY KEY (owner_id, provider))
        """,
        """
        CREATE TABLE calendar_events (
            booking_id TEXT PRIMARY KEY REFERENCES bookings (id), provider TEXT NOT NULL, account_id TEXT NOT NULL,
            event_id TEXT NOT NULL, state TEXT NOT NULL, digest TEXT NOT NULL)
        """,
        """
        CREATE TABLE notices (
            subject TEXT PRIMARY KEY, code TEXT NOT NULL, body TEXT NOT NULL, message_id TEXT NOT NULL, written_at BIGINT NOT NULL,
            state TEXT NOT NULL, problem TEXT)
        """,
        """
        CREATE TABLE api_keys (
            id TEXT PRIMARY KEY, name TEXT NOT NULL, hash TEXT NOT NULL, scopes TEXT NOT NULL, created_at BIGINT NOT NULL,
            expires_at BIGINT NOT NULL, used_at BIGINT)
        """,
        "CREATE UNIQUE INDEX api_keys_by_hash ON api_keys (hash)",
        "ALTER TABLE outbox ADD COLUMN about TEXT NOT NULL DEFAULT ''",
        "ALTER TABLE outbox ADD COLUMN on_calendar BIGINT NOT NULL DEFAULT 0",
        "ALTER TABLE outbox ADD COLUMN told TEXT NOT NULL DEFAULT ''",
        "ALTER TABLE outbox ADD COLUMN before TEXT NOT NULL DEFAULT ''",
        "DROP INDEX outbox_once",
        "CREATE UNIQUE INDEX outbox_once ON outbox (booking_id, revision, reader, about)",
    ]

    /// Owners' own accounts.
    private static let version2 = [
        """
        CREATE TABLE connections (
            owner_id TEXT NOT NULL REFERENCES owners (id), provider TEXT NOT NULL, module TEXT NOT NULL, client_id TEXT NOT NULL,
            account_id TEXT NOT NULL, tenant TEXT NOT NULL, email TEXT NOT NULL, name TEXT NOT NULL, scopes TEXT NOT NULL,
            sealed TEXT NOT NULL, generation BIGINT NOT NULL, expires_at BIGINT NOT NULL, lease_by TEXT, lease_until BIGINT NOT NULL,
            health TEXT NOT NULL, problem TEXT, connected_at BIGINT NOT NULL, refreshed_at BIGINT NOT NULL,
            PRIMARY KEY (owner_id, provider))
        """,
        "ALTER TABLE rooms ADD COLUMN check_at BIGINT NOT NULL DEFAULT \(Instant.never.microseconds)",
        "CREATE INDEX rooms_by_id ON rooms (room_id)",
        "CREATE INDEX connections_by_account ON connections (client_id, account_id)",
        """
        CREATE TABLE consents (
            id TEXT PRIMARY KEY, owner_id TEXT NOT NULL REFERENCES owners (id), provider TEXT NOT NULL, return_to TEXT NOT NULL,
            state TEXT NOT NULL, browser TEXT NOT NULL, sealed TEXT NOT NULL, expires_at BIGINT NOT NULL)
        """,
        "CREATE INDEX consents_by_end ON consents (expires_at)",
        """
        CREATE TABLE portal_links (
            hash TEXT PRIMARY KEY, owner_id TEXT NOT NULL REFERENCES owners (id), expires_at BIGINT NOT NULL)
        """,
        "CREATE TABLE sessions (hash TEXT PRIMARY KEY, owner_id TEXT NOT NULL REFERENCES owners (id), expires_at BIGINT NOT NULL)",
    ]

    private static let version1 = [
        """
        CREATE TABLE owners (
            id TEXT PRIMARY KEY, name TEXT NOT NULL, email TEXT NOT NULL, time_zone TEXT NOT NULL, language TEXT NOT NULL,
            hosts TEXT NOT NULL, default_provider TEXT, default_chosen BIGINT NOT NULL, in_file BIGINT NOT NULL,
            active BIGINT NOT NULL, touched BIGINT NOT NULL)
        """,
        "CREATE TABLE terms (id TEXT PRIMARY KEY, body TEXT NOT NULL)",
        """
        CREATE TABLE bookings (
            id TEXT PRIMARY KEY, owner_id TEXT NOT NULL REFERENCES owners (id), status TEXT NOT NULL, revision BIGINT NOT NULL,
            starts_at BIGINT NOT NULL, ends_at BIGINT NOT NULL, time_zone TEXT NOT NULL, attendees TEXT NOT NULL, note TEXT NOT NULL,
            metadata TEXT NOT NULL, source TEXT NOT NULL, terms_id TEXT NOT NULL REFERENCES terms (id),
            overlap_allowed BIGINT NOT NULL, meeting_status TEXT NOT NULL, provider TEXT NOT NULL, module TEXT NOT NULL,
            because TEXT NOT NULL, room TEXT, problem TEXT, changed_at BIGINT NOT NULL, created_at BIGINT NOT NULL)
        """,
        "CREATE INDEX bookings_by_owner ON bookings (owner_id, starts_at)",
        "CREATE INDEX bookings_by_start ON bookings (starts_at)",
        """
        CREATE TABLE rooms (
            booking_id TEXT NOT NULL REFERENCES bookings (id), generation BIGINT NOT NULL, key TEXT NOT NULL, provider TEXT NOT NULL,
            module TEXT NOT NULL, host TEXT NOT NULL, state TEXT NOT NULL, flight_ends BIGINT NOT NULL, room_id TEXT NOT NULL,
            room TEXT, applied_start BIGINT NOT NULL, applied_end BIGINT NOT NULL, twin_check BIGINT NOT NULL,
            twin_checks_left BIGINT NOT NULL, gone_seen BIGINT NOT NULL, failures BIGINT NOT NULL, not_before BIGINT NOT NULL,
            PRIMARY KEY (booking_id, generation))
        """,
        "CREATE UNIQUE INDEX rooms_by_key ON rooms (key)",
        """
        CREATE TABLE steps (
            kind TEXT NOT NULL, subject TEXT NOT NULL, lane BIGINT NOT NULL, due_at BIGINT NOT NULL, claimed_by TEXT,
            fence BIGINT NOT NULL, attempt BIGINT NOT NULL, PRIMARY KEY (kind, subject))
        """,
        "CREATE INDEX steps_by_due ON steps (lane, due_at)",
        """
        CREATE TABLE outbox (
            id TEXT PRIMARY KEY, booking_id TEXT NOT NULL REFERENCES bookings (id), revision BIGINT NOT NULL, reader TEXT NOT NULL,
            kind TEXT NOT NULL, message_id TEXT NOT NULL, thread_id TEXT, written_at BIGINT NOT NULL, state TEXT NOT NULL,
            maybe_delivered BIGINT NOT NULL, problem TEXT)
        """,
        "CREATE UNIQUE INDEX outbox_once ON outbox (booking_id, revision, reader)",
        """
        CREATE TABLE timeline (
            booking_id TEXT NOT NULL REFERENCES bookings (id), seq BIGINT NOT NULL, at BIGINT NOT NULL, event TEXT NOT NULL,
            detail TEXT NOT NULL, PRIMARY KEY (booking_id, seq))
        """,
        """
        CREATE TABLE links (
            hash TEXT PRIMARY KEY, booking_id TEXT NOT NULL REFERENCES bookings (id), reader TEXT NOT NULL, purpose TEXT NOT NULL,
            sealed TEXT NOT NULL)
        """,
        "CREATE INDEX links_by_booking ON links (booking_id)",
        "CREATE TABLE processes (id TEXT PRIMARY KEY, started_at BIGINT NOT NULL, heartbeat_at BIGINT NOT NULL)",
        """
        CREATE TABLE idempotency (
            scope TEXT NOT NULL, key TEXT NOT NULL, fingerprint TEXT NOT NULL, booking_id TEXT NOT NULL, created_at BIGINT NOT NULL,
            PRIMARY KEY (scope, key))
        """,
        "CREATE INDEX idempotency_by_age ON idempotency (created_at)",
        """
        CREATE TABLE tokens (
            name TEXT PRIMARY KEY, sealed TEXT NOT NULL, expires_at BIGINT NOT NULL, generation BIGINT NOT NULL,
            lease_by TEXT, lease_until BIGINT NOT NULL)
        """,
    ]
}
