import UsherCore

extension Schema {
    /// Work is claimed by service and by the meeting that it is for; what is asked for during a try is kept. Mails are sent again as they
    /// were sent first.
    static let version6 = [
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
    static let version5 = [
        "CREATE INDEX bookings_exclusive ON bookings (owner_id, starts_at) WHERE overlap_allowed = 0",
        "ALTER TABLE steps ADD COLUMN service TEXT NOT NULL DEFAULT ''",
        "DROP INDEX steps_by_due",
        "CREATE INDEX steps_by_due ON steps (lane, due_at, service)",
    ]

    /// Webhooks out, the admin's sessions, and repeated calls of every kind.
    static let version4 = [
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
    static let version3 = [
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
    static let version2 = [
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

    static let version1 = [
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
