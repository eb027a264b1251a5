import UsherCore

/// What the tables hold of people: the one list. A column that is in neither half of it fails a test, so that nothing personal is added
/// unseen.
package struct PersonalTable: Sendable {
    /// How a row is known to be about somebody.
    enum Link: Sendable {
        /// By the id of a booking that they attend, in this column.
        case booking(String)
        /// The same, and it is spelt as an ``AlertSubject``: `booking {id}`, `undelivered {mail}`.
        case notice
        /// By their id as an owner, in this column.
        case owner(String)
        /// By a hash of their mailbox, in this column.
        case mailbox(String)
        /// By their address, as that of somebody who acts at `/admin`, in this column.
        case admin(String)
        /// It is about nobody, or goes by itself within days.
        case nobody
    }
    /// What an erasure does to the rows.
    enum Erasure: Sendable {
        /// They are deleted.
        case rows
        /// These columns are blanked, and the row stays to be counted.
        case columns(String)
        /// See ``Tx/erase(_:of:wholly:now:)`` and ``Tx/eraseOwner(_:)``.
        case byHand
        /// They stay.
        case nothing
    }

    /// In the schema.
    package let name: String
    let links: [Link]
    /// Columns that can hold what is personal.
    package let personal: [String]
    /// All others.
    package let others: [String]
    let erasure: Erasure

    private init(
        _ name: String, _ link: Link, or other: Link? = nil, _ personal: String, _ others: String, _ erasure: Erasure = .nothing
    ) {
        self.name = name
        links = [link] + (other.map { [$0] } ?? [])
        self.personal = personal.split(separator: " ").map(String.init)
        self.others = others.split(separator: " ").map(String.init)
        self.erasure = erasure
    }

    /// Columns whose values are sealed, or secret: an export names them, and does not show them.
    static let sealed: Set<String> = ["sealed", "kept", "link_secret", "body", "token_hash", "app", "hash"]

    /// All tables.
    package static let all: [PersonalTable] = [
        .init(
            "bookings", .booking("id"), "attendees note metadata source answers link_secret trace",
            "id owner_id status revision starts_at ends_at time_zone terms_id overlap_allowed meeting_status provider module because room problem changed_at created_at pool owner_because erased_at",
            .byHand),
        .init("timeline", .booking("booking_id"), "detail", "booking_id seq at event actor", .columns("detail = ''")),
        .init("links", .booking("booking_id"), "sealed", "hash booking_id reader purpose", .rows),
        .init(
            "holds", .booking("booking_id"), "holder body note address",
            "id owner_id type starts_at ends_at expires_at booking_id is_told created_at", .rows),
        .init(
            "outbox", .booking("booking_id"), "problem kept",
            "id booking_id revision reader kind message_id thread_id written_at state maybe_delivered about on_calendar told before look sent_at",
            .columns("problem = NULL, kept = ''")),
        .init(
            "deliveries", .booking("subject"), "body problem",
            "id webhook_id subject seq type state attempts due_at tried_at answer created_at", .rows),
        .init("notices", .notice, "body problem", "subject code message_id written_at state", .rows),
        .init(
            "page_forms", .mailbox("mail"), "address mail sealed", "id token_hash hold_id type state booking_id expires_at created_at",
            .rows),
        .init("audit", .booking("subject"), or: .admin("actor"), "actor address", "id at action subject outcome count", .byHand),
        .init("calendar_events", .booking("booking_id"), "", "booking_id provider account_id event_id state digest"),
        .init(
            "rooms", .booking("booking_id"), "host",
            "booking_id generation key provider module state flight_ends room_id room applied_start applied_end twin_check twin_checks_left gone_seen failures not_before check_at",
            .byHand),
        .init(
            "owners", .owner("id"), "name email hosts",
            "id time_zone language default_provider default_chosen in_file active touched schedule limits", .byHand),
        .init("terms", .nobody, "body", "id", .byHand),
        .init(
            "connections", .owner("owner_id"), "account_id tenant email name sealed problem",
            "owner_id provider module client_id scopes generation expires_at lease_by lease_until health connected_at refreshed_at", .rows),
        .init("lost_connections", .owner("owner_id"), "email", "owner_id provider lost_at", .rows),
        .init(
            "revocations", .owner("owner_id"), "account_id email sealed app", "id owner_id provider client_id since given_up of_former"),
        .init(
            "consents", .owner("owner_id"), "return_to browser sealed",
            "id owner_id provider state expires_at session revocation scopes", .rows),
        .init("portal_links", .owner("owner_id"), "", "hash owner_id expires_at", .rows),
        .init("sessions", .owner("owner_id"), "", "hash owner_id expires_at", .rows),
        .init("owner_apps", .owner("owner_id"), "client_id sealed", "owner_id provider created_at", .rows),
        .init(
            "calendars", .owner("owner_id"), "account remote_id name sealed problem",
            "id owner_id kind provider counts mark as_of from_at to_at is_told created_at", .rows),
        .init("calendar_subscriptions", .owner("owner_id"), "sealed remote", "calendar_id owner_id kind provider renew_at", .rows),
        .init("time_off", .owner("owner_id"), "first_day last_day", "id owner_id", .rows),
        // Times alone, which go with their calendar.
        .init("calendar_busy", .nobody, "", "calendar_id starts_at ends_at gone_since"),
        // A sign-in link's address, until it is sent.
        .init("steps", .nobody, "subject", "kind lane due_at claimed_by fence attempt service again_at starts_at claimed_until"),
        // Seven days.
        .init("idempotency", .nobody, "key result", "scope fingerprint created_at"),
        // Until they are full again: an hour.
        .init("rate_limits", .nobody, "key", "name left_milli at"),
        .init("provider_calls", .nobody, "account", "day provider calls"),
        // The file in force, as the admin wrote it.
        .init("catalogues", .nobody, "body", "digest number adopted_at"),
        .init("tokens", .nobody, "", "name sealed expires_at generation lease_by lease_until"),
        .init("webhooks", .nobody, "", "id url events sealed former former_until state problem failing_since created_at manage_page"),
        .init("api_keys", .nobody, "", "id name hash scopes created_at expires_at used_at"),
        // Hours: what is over goes with the daily job.
        .init("admin_sessions", .nobody, "person", "hash holder expires_at"),
        .init("processes", .nobody, "", "id started_at heartbeat_at serves catalogue version host"),
        .init("provider_health", .nobody, "", "provider failing_since problem failures seen_at"),
        .init("schema_versions", .nobody, "", "version earliest_reader"),
        .init("installation", .nobody, "", "id secret epoch former_epoch restored_at place hold"),
    ]

    /// What a row is found by, for one booking, owner or address; `nil` where that leads to no row of this table.
    private func condition(_ person: PersonKey) -> (sql: String, value: String)? {
        links.lazy.compactMap { condition($0, person) }.first
    }

    private func condition(_ link: Link, _ person: PersonKey) -> (sql: String, value: String)? {
        switch (link, person) {
        case (.booking(let column), .booking(let id)): ("\(column) = $1", id)
        case (.notice, .booking(let id)):
            (
                """
                subject IN (SELECT 'booking ' || id FROM bookings WHERE id = $1 UNION ALL SELECT 'remains ' || id FROM bookings
                    WHERE id = $1 UNION ALL SELECT 'undelivered ' || id FROM outbox WHERE booking_id = $1)
                """, id
            )
        case (.owner(let column), .owner(let id)): ("\(column) = $1", id)
        case (.mailbox(let column), .mailbox(let hash)): ("\(column) = $1", hash)
        case (.admin(let column), .address(let mail)): ("\(column) = 'admin:' || $1", mail)
        default: nil
        }
    }

    func select(_ person: PersonKey) -> (columns: [String], sql: String, value: String)? {
        let columns = personal + others
        return condition(person).map { (columns, "SELECT \(columns.joined(separator: ", ")) FROM \(name) WHERE \($0.sql)", $0.value) }
    }

    func erase(_ person: PersonKey) -> (sql: String, value: String)? {
        guard let condition = condition(person) else { return nil }
        switch erasure {
        case .rows: return ("DELETE FROM \(name) WHERE \(condition.sql)", condition.value)
        case .columns(let blank): return ("UPDATE \(name) SET \(blank) WHERE \(condition.sql)", condition.value)
        case .byHand, .nothing: return nil
        }
    }
}

/// What rows about somebody are found by.
package enum PersonKey: Hashable, Sendable {
    case booking(String)
    case owner(String)
    case address(String)
    /// A hash of what addresses of one mailbox have in common: see ``StoredPageForm/mail``.
    case mailbox(String)
}

/// Statements on what is personal.
enum PersonSQL: String, SQLStatement {
    /// Whose attendees' text holds an address.
    case bookings = "SELECT id FROM bookings WHERE LOWER(attendees) LIKE $1 ESCAPE '\\' ORDER BY starts_at, id"
    case bookingsOfOwner = "SELECT id FROM bookings WHERE owner_id = $1 ORDER BY starts_at, id"
    case ended = """
        SELECT id FROM bookings WHERE starts_at >= $1 AND starts_at < $2 AND ends_at < $2 AND erased_at = 0 ORDER BY starts_at LIMIT $3
        """
    case eraseAttendees = "UPDATE bookings SET attendees = $1, changed_at = $2 WHERE id = $3"
    case eraseBooking = """
        UPDATE bookings SET attendees = $1, note = '', metadata = '{}', source = '', answers = '{}', trace = '', link_secret = $2, erased_at = $3 WHERE id = $4
        """
    /// Where guests acted, by a mail's links or on a booking page; the audit of others stays.
    case eraseGuestAddresses = """
        UPDATE audit SET address = '' WHERE (subject = $1 AND (actor LIKE 'guest:%' OR actor LIKE 'visitor:%'))
            OR (actor LIKE 'visitor:%' AND actor IN (SELECT holder FROM holds WHERE booking_id = $1))
        """
    case eraseOneAddress = "UPDATE audit SET address = '' WHERE subject = $1 AND actor = $2"
    /// Who did something at `/admin` under that address.
    case eraseAdmin = "UPDATE audit SET actor = 'admin:erased', address = '' WHERE actor = 'admin:' || $1"
    case eraseOneReader = "UPDATE outbox SET problem = NULL, kept = '' WHERE booking_id = $1 AND reader = $2"
    case eraseAddresses = "UPDATE timeline SET detail = '' WHERE booking_id = $1 AND detail LIKE '%@%'"
    case eraseEventsOf = "DELETE FROM deliveries WHERE subject = $1"
    case forgetRepeats = "DELETE FROM idempotency WHERE created_at < $1"
    /// Of a booking, or of an owner's, those of which something is on its way: work, a mail, a room that is to go, an event.
    case underWay = """
        SELECT COUNT(*) FROM bookings b WHERE (b.id = $1 OR b.owner_id = $1) AND (
            EXISTS (SELECT 1 FROM steps s WHERE s.kind = 'notify' AND s.subject = b.id)
            OR (b.status = 'cancelled' AND EXISTS
                (SELECT 1 FROM steps s WHERE s.kind IN ('provision', 'calendar') AND s.subject = b.id))
            OR EXISTS (SELECT 1 FROM outbox o WHERE o.booking_id = b.id AND o.state IN ('queued', 'sending'))
            OR EXISTS (SELECT 1 FROM rooms r WHERE r.booking_id = b.id AND r.state IN ('attempting', 'unclear', 'removing'))
            OR b.id IN (SELECT d.subject FROM deliveries d WHERE d.state = 'waiting'))
        """
    case eraseNoticesOfReader = """
        DELETE FROM notices WHERE subject IN (SELECT 'undelivered ' || id FROM outbox WHERE booking_id = $1 AND reader = $2)
        """
    case eraseNotices = """
        DELETE FROM notices WHERE subject LIKE 'connection ' || $1 || ' %' OR subject = 'signin ' || $1
            OR subject IN (SELECT 'booking ' || id FROM bookings WHERE owner_id = $1)
            OR subject IN (SELECT 'remains ' || id FROM bookings WHERE owner_id = $1)
            OR subject IN (SELECT 'undelivered ' || o.id FROM outbox o JOIN bookings b ON b.id = o.booking_id WHERE b.owner_id = $1)
        """
    case eraseEvents = """
        DELETE FROM deliveries WHERE subject LIKE $1 || '/%' OR subject IN (SELECT id FROM bookings WHERE owner_id = $1)
        """
    case eraseDetails = "UPDATE timeline SET detail = '' WHERE booking_id IN (SELECT id FROM bookings WHERE owner_id = $1)"
    case eraseAnswers = """
        UPDATE outbox SET problem = NULL, kept = '' WHERE booking_id IN (SELECT id FROM bookings WHERE owner_id = $1)
        """
    case eraseOwnersAddresses = "UPDATE audit SET address = '' WHERE actor = 'owner:' || $1"
    /// Nobody will end these any more.
    case eraseRevocations = "DELETE FROM revocations WHERE owner_id = $1 AND given_up = 1"
    case revocationsUnderWay = "SELECT COUNT(*) FROM revocations WHERE owner_id = $1 AND given_up = 0"
    case eraseCalendarAccounts = """
        UPDATE calendar_events SET account_id = '' WHERE booking_id IN (SELECT id FROM bookings WHERE owner_id = $1)
        """
    case eraseHosts = "UPDATE rooms SET host = '' WHERE booking_id IN (SELECT id FROM bookings WHERE owner_id = $1)"
    case eraseOwner = "UPDATE owners SET name = $1, email = $2, hosts = '{}' WHERE id = $3 AND active = 0"
    case terms = "SELECT id, body FROM terms"
    case moveToTerms = "UPDATE bookings SET terms_id = $1 WHERE terms_id = $2"
    case removeTerms = "DELETE FROM terms WHERE id = $1"
    case forgetAudit = """
        DELETE FROM audit WHERE (at, id) IN (SELECT at, id FROM audit WHERE at < $1 ORDER BY at, id LIMIT $2)
        """
    case forgetForms = "DELETE FROM page_forms WHERE created_at < $1 AND expires_at < $1"
    case forgetMailTexts = """
        UPDATE outbox SET problem = NULL, kept = '' WHERE id IN (SELECT id FROM outbox
            WHERE written_at < $1 AND (problem IS NOT NULL OR kept <> '') AND state NOT IN ('queued', 'sending') LIMIT $2)
        """
    case forgetNotices = "DELETE FROM notices WHERE written_at < $1 AND state <> 'queued'"
    /// Of meetings that are over, hosted by one account of one module.
    case endedRooms = """
        SELECT r.booking_id FROM rooms r JOIN bookings b ON b.id = r.booking_id
        WHERE r.module = $1 AND r.host = $2 AND b.ends_at < $3 AND (r.room IS NOT NULL OR r.room_id <> '')
        """
    case forgetRoom = "UPDATE rooms SET room = NULL, room_id = '', host = '' WHERE booking_id = $1 AND module = $2"
    case forgetWayIn = "UPDATE bookings SET room = NULL WHERE id = $1 AND module = $2"
}
