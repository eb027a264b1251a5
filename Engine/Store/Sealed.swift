import UsherCore

/// Every place where a sealed value lies, for the rotation of the vault's keys and for a look whether the keys fit.
enum SealedSQL: String, SQLStatement {
    case links = "SELECT hash, booking_id, reader, purpose, sealed FROM links WHERE hash > $1 ORDER BY hash LIMIT $2"
    case resealLink = "UPDATE links SET sealed = $1 WHERE hash = $2 AND sealed = $3"
    case secrets = "SELECT id, link_secret FROM bookings WHERE id > $1 ORDER BY id LIMIT $2"
    case resealSecret = "UPDATE bookings SET link_secret = $1 WHERE id = $2 AND link_secret = $3"
    case tokens = "SELECT name, sealed FROM tokens WHERE sealed <> '' AND sealed NOT LIKE $1 LIMIT $2"
    case resealToken = "UPDATE tokens SET sealed = $1 WHERE name = $2 AND sealed = $3"
    case connections = "SELECT owner_id, provider, sealed FROM connections WHERE sealed NOT LIKE $1 LIMIT $2"
    case resealConnection = "UPDATE connections SET sealed = $1 WHERE owner_id = $2 AND provider = $3 AND sealed = $4"
    case consents = "SELECT id, sealed FROM consents WHERE sealed <> '' AND sealed NOT LIKE $1 LIMIT $2"
    case apps = "SELECT owner_id, provider, sealed FROM owner_apps WHERE sealed NOT LIKE $1 LIMIT $2"
    case resealApp = "UPDATE owner_apps SET sealed = $1 WHERE owner_id = $2 AND provider = $3 AND sealed = $4"
    case repeats = "SELECT scope, key, result FROM idempotency WHERE result LIKE 'v1.%' AND result NOT LIKE $1 LIMIT $2"
    case resealRepeat = "UPDATE idempotency SET result = $1 WHERE scope = $2 AND key = $3"
    case webhooks = """
        SELECT id, sealed, former FROM webhooks WHERE sealed NOT LIKE $1 OR (former <> '' AND former NOT LIKE $1) LIMIT $2
        """
    case resealWebhook = "UPDATE webhooks SET sealed = $1, former = $2 WHERE id = $3 AND sealed = $4"
    case deliveries = "SELECT id, body FROM deliveries WHERE id > $1 ORDER BY id LIMIT $2"
    case resealDelivery = "UPDATE deliveries SET body = $1 WHERE id = $2 AND body = $3"
    case revocations = """
        SELECT id, owner_id, provider, sealed, app FROM revocations
        WHERE sealed <> '' AND (sealed NOT LIKE $1 OR (app <> '' AND app NOT LIKE $1)) LIMIT $2
        """
    case resealRevocation = "UPDATE revocations SET sealed = $1, app = $2 WHERE id = $3 AND sealed = $4"
    case mails = "SELECT id, kept FROM outbox WHERE kept <> '' AND kept NOT LIKE $1 LIMIT $2"
    case resealMail = "UPDATE outbox SET kept = $1 WHERE id = $2 AND kept = $3"
    case calendars = "SELECT id, sealed FROM calendars WHERE sealed <> '' AND sealed NOT LIKE $1 LIMIT $2"
    case resealCalendar = "UPDATE calendars SET sealed = $1 WHERE id = $2 AND sealed = $3"
    case adminSessions = "SELECT hash, person FROM admin_sessions WHERE person <> '' AND person NOT LIKE $1 LIMIT $2"
    case resealAdminSession = "UPDATE admin_sessions SET person = $1 WHERE hash = $2 AND person = $3"
    case subscriptions = """
        SELECT calendar_id, sealed FROM calendar_subscriptions WHERE sealed <> '' AND sealed NOT LIKE $1 LIMIT $2
        """
    case resealSubscription = "UPDATE calendar_subscriptions SET sealed = $1 WHERE calendar_id = $2 AND sealed = $3"
    case forms = "SELECT id, sealed FROM page_forms WHERE sealed <> '' AND sealed NOT LIKE $1 LIMIT $2"
    case resealForm = "UPDATE page_forms SET sealed = $1 WHERE id = $2 AND sealed = $3"
    case resealConsent = "UPDATE consents SET sealed = $1 WHERE id = $2 AND sealed = $3"
}

/// How far a rotation has come in the tables that grow with the bookings: they are gone through once, in the order of their keys.
package struct ResealCursor: Sendable {
    var bookings = ""
    var links = ""
    var deliveries = ""
    package init() {}
}

extension Tx {
    /// A sealed value out of every table that holds some, and what it is sealed for: under another key none of them opens.
    package func sealedSamples() throws -> [(sealed: String, context: String)] {
        let (any, one): (SQLValue, SQLValue) = (.text("-"), .int(1))
        var samples = try [newestSealedLink(), anySealedToken()].compactMap(\.self)
        samples += try query(SealedSQL.connections, any, one).map {
            (try $0.text(2), StoredConnection.context(owner: try $0.text(0), provider: try $0.text(1)))
        }
        samples += try query(SealedSQL.apps, any, one).map {
            (try $0.text(2), StoredApp.context(owner: try $0.text(0), provider: try $0.text(1)))
        }
        samples += try query(SealedSQL.calendars, any, one).map { (try $0.text(1), StoredCalendar.context(try $0.text(0))) }
        samples += try query(SealedSQL.webhooks, any, one).map { (try $0.text(1), StoredWebhook.context(try $0.text(0))) }
        return samples
    }

    /// Seals values anew that do not begin with `prefix`: of the large tables the next `limit` rows after `cursor`, of the small ones up
    /// to `limit` that are left.
    /// - Parameter reseal: sealed value and what it belongs to, to the value sealed under the newest key.
    /// - Returns: how many were sealed, and whether any were looked at in the large tables; 0 and `false` at the end.
    package func reseal(
        notUnder prefix: String, limit: Int, after cursor: inout ResealCursor,
        _ reseal: (_ sealed: String, _ context: String) throws -> String
    ) throws -> (count: Int, isGoingOn: Bool) {
        let bookings = try query(SealedSQL.secrets, .text(cursor.bookings), .int(Int64(limit)))
        let links = try query(SealedSQL.links, .text(cursor.links), .int(Int64(limit)))
        let deliveries = try query(SealedSQL.deliveries, .text(cursor.deliveries), .int(Int64(limit)))
        if let last = bookings.last { cursor.bookings = try last.text(0) }
        if let last = links.last { cursor.links = try last.text(0) }
        if let last = deliveries.last { cursor.deliveries = try last.text(0) }
        let small = try resealSmall(notUnder: prefix, limit: limit, reseal)
        let large =
            try resealSecrets(bookings, prefix, reseal) + resealLinks(links, prefix, reseal) + resealDeliveries(deliveries, prefix, reseal)
        return (small + large, small > 0 || !bookings.isEmpty || !links.isEmpty || !deliveries.isEmpty)
    }

    private func resealSecrets(_ rows: [SQLRow], _ prefix: String, _ reseal: (String, String) throws -> String) throws -> Int {
        try rows.count { row in
            let (id, sealed) = (try row.text(0), try row.text(1))
            guard !sealed.isEmpty, !sealed.hasPrefix(prefix) else { return false }
            let anew = try reseal(sealed, StoredLink.context(booking: id))
            return try execute(SealedSQL.resealSecret, .text(anew), .text(id), .text(sealed)) == 1
        }
    }

    private func resealLinks(_ rows: [SQLRow], _ prefix: String, _ reseal: (String, String) throws -> String) throws -> Int {
        try rows.count { row in
            let sealed = try row.text(4)
            guard !sealed.hasPrefix(prefix), let reader = Reader(try row.text(2)) else { return false }
            let context = StoredLink.context(booking: try row.text(1), reader: reader, purpose: try known(row.text(3)))
            return try execute(SealedSQL.resealLink, .text(try reseal(sealed, context)), .text(try row.text(0)), .text(sealed)) == 1
        }
    }

    private func resealDeliveries(_ rows: [SQLRow], _ prefix: String, _ reseal: (String, String) throws -> String) throws -> Int {
        try rows.count { row in
            let sealed = try row.text(1)
            guard !sealed.hasPrefix(prefix), StoredDelivery.isSealed(sealed) else { return false }
            let anew = try reseal(sealed, StoredDelivery.context(row.text(0)))
            return try execute(SealedSQL.resealDelivery, .text(anew), .text(try row.text(0)), .text(sealed)) == 1
        }
    }

    private func resealSmall(notUnder prefix: String, limit: Int, _ reseal: (String, String) throws -> String) throws -> Int {
        func each(_ statement: SealedSQL, _ writing: SealedSQL, _ values: (SQLRow) throws -> [String]) throws -> Int {
            try rewrite(statement, writing, notUnder: prefix, limit: limit, values)
        }
        func optional(_ sealed: String, _ context: String) throws -> String { sealed.isEmpty ? "" : try reseal(sealed, context) }
        func connection(_ row: SQLRow, _ owner: Int) throws -> String {
            StoredConnection.context(owner: try row.text(owner), provider: try row.text(owner + 1))
        }
        func app(_ row: SQLRow, _ owner: Int) throws -> String {
            StoredApp.context(owner: try row.text(owner), provider: try row.text(owner + 1))
        }
        var count = try each(.tokens, .resealToken) {
            [try reseal($0.text(1), StoredToken.context($0.text(0))), try $0.text(0), try $0.text(1)]
        }
        count += try each(.connections, .resealConnection) {
            [try reseal($0.text(2), connection($0, 0)), try $0.text(0), try $0.text(1), try $0.text(2)]
        }
        count += try each(.apps, .resealApp) { [try reseal($0.text(2), app($0, 0)), try $0.text(0), try $0.text(1), try $0.text(2)] }
        count += try each(.repeats, .resealRepeat) {
            [try reseal($0.text(2), StoredRepeat.context(scope: $0.text(0), key: $0.text(1))), try $0.text(0), try $0.text(1)]
        }
        count += try each(.webhooks, .resealWebhook) {
            let context = StoredWebhook.context(try $0.text(0))
            return [try reseal($0.text(1), context), try optional($0.text(2), context), try $0.text(0), try $0.text(1)]
        }
        count += try each(.revocations, .resealRevocation) {
            [try reseal($0.text(3), connection($0, 1)), try optional($0.text(4), app($0, 1)), try $0.text(0), try $0.text(3)]
        }
        for (statement, writing, context) in Self.byID {
            count += try each(statement, writing) { [try reseal($0.text(1), context($0.text(0))), try $0.text(0), try $0.text(1)] }
        }
        return count
    }

    /// Tables whose rows are found by one id, which says what they are sealed for.
    private static let byID: [(SealedSQL, SealedSQL, @Sendable (String) -> String)] = [
        (.mails, .resealMail, { OutboxMail.context($0) }), (.forms, .resealForm, { StoredPageForm.context($0) }),
        (.calendars, .resealCalendar, { StoredCalendar.context($0) }),
        (.subscriptions, .resealSubscription, { StoredSubscription.context($0) }),
        (.consents, .resealConsent, { StoredConsent.context($0) }),
        (.adminSessions, .resealAdminSession, { _ in StoredAdminSession.context }),
    ]

    /// Writes the rows of one table anew, up to `limit` of them.
    private func rewrite(
        _ statement: SealedSQL, _ writing: SealedSQL, notUnder prefix: String, limit: Int, _ values: (SQLRow) throws -> [String]
    ) throws -> Int {
        let rows = try query(statement, .text(prefix + "%"), .int(Int64(limit)))
        for row in rows { try execute(writing, try values(row).map(SQLValue.text)) }
        return rows.count
    }
}
