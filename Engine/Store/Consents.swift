import UsherCore

/// A consent that is under way: from the press on Connect to the browser's return.
package struct StoredConsent: Hashable, Sendable {
    /// How far a consent has come.
    package enum State: String, Sendable, CaseIterable {
        /// Nobody has opened it yet.
        case open
        /// A browser is on its way to the service.
        case started
        /// The browser came back: the state cannot be used again.
        case used
        /// Another account than before: the owner is asked first, and the grant waits.
        case asking
    }

    /// 128 random bits in base32.
    package var id: String
    /// Whose account is to be connected.
    package var ownerID: String
    /// The provider that it is connected as.
    package var provider: String
    /// Where the browser goes in the end; empty for a page of ours.
    package var returnTo: String
    /// How far it has come.
    package var state: State
    /// SHA-256 of the browser's cookie.
    package var browser: String
    /// PKCE's secret, and while asking the grant.
    package var sealed: String
    /// When it ends, used or not.
    package var expiresAt: Instant
    /// The hash of the owner's session that it was begun in; empty where it was begun elsewhere.
    package var session: String
    /// While asking: the revocation that ends the grant unless the owner agrees.
    package var revocation: String
    /// What is asked for beside what the module itself needs, with blanks between.
    package var scopes: String

    /// Takes each property as it is.
    package init(
        id: String, ownerID: String, provider: String, returnTo: String, state: State = .open, browser: String = "", sealed: String = "",
        expiresAt: Instant, session: String = "", revocation: String = "", scopes: String = ""
    ) {
        self.id = id
        self.ownerID = ownerID
        self.provider = provider
        self.returnTo = returnTo
        self.state = state
        self.browser = browser
        self.sealed = sealed
        self.expiresAt = expiresAt
        self.session = session
        self.revocation = revocation
        self.scopes = scopes
    }

    /// What its secrets are sealed for.
    package static func context(_ id: String) -> String { "consent:" + id }
}

/// The columns of `consents` that are read.
enum ConsentColumn: Int, Column {
    case id, ownerID, provider, returnTo, state, browser, sealed, expiresAt, session, revocation, scopes

    static let table = "consents"
}

/// Statements on consents.
enum ConsentSQL: String, SQLStatement {
    case add = """
        INSERT INTO consents ({consents})
        VALUES ({$11})
        """
    case one = """
        SELECT {consents} FROM consents WHERE id = $1
        """
    case move = "UPDATE consents SET state = $1, browser = $2, sealed = $3, revocation = $4 WHERE id = $5 AND state = $6"
    case removeOfOwner = "DELETE FROM consents WHERE owner_id = $1"
    case forget = "DELETE FROM consents WHERE expires_at <= $1"

    static let texts: [String: StatementText] = texts(ConsentColumn.self)
}

/// Statements on portal links and owners' sessions.
enum SessionSQL: String, SQLStatement {
    case addLink = "INSERT INTO portal_links (hash, owner_id, expires_at) VALUES ($1, $2, $3)"
    case link = "SELECT owner_id FROM portal_links WHERE hash = $1 AND expires_at > $2"
    case useLink = "DELETE FROM portal_links WHERE hash = $1 AND expires_at > $2 RETURNING owner_id"
    case forgetLinks = "DELETE FROM portal_links WHERE expires_at <= $1"
    case add = "INSERT INTO sessions (hash, owner_id, expires_at) VALUES ($1, $2, $3)"
    case owner = "SELECT owner_id FROM sessions WHERE hash = $1 AND expires_at > $2"
    case remove = "DELETE FROM sessions WHERE hash = $1"
    case removeOfOwner = "DELETE FROM sessions WHERE owner_id = $1"
    case removeLinksOfOwner = "DELETE FROM portal_links WHERE owner_id = $1"
    case extend = "UPDATE sessions SET expires_at = $1 WHERE hash = $2 AND expires_at < $3"
    case forget = "DELETE FROM sessions WHERE expires_at <= $1"
}

extension Tx {
    /// Adds a consent, and forgets those that ended before `now`.
    package func add(_ consent: StoredConsent, now: Instant) throws {
        try write(ConsentSQL.forget, SQLValue(now - .hours(1)))
        try write(
            ConsentSQL.add, .text(consent.id), .text(consent.ownerID), .text(consent.provider), .text(consent.returnTo),
            .text(consent.state.rawValue), .text(consent.browser), .text(consent.sealed), SQLValue(consent.expiresAt),
            .text(consent.session), .text(consent.revocation), .text(consent.scopes))
    }

    /// The consent of that id.
    package func consent(_ id: String) throws -> StoredConsent? {
        try query(ConsentSQL.one, .text(id)).first.map { row in
            let row = TableRow<ConsentColumn>(row)
            return StoredConsent(
                id: try row.text(.id), ownerID: try row.text(.ownerID), provider: try row.text(.provider),
                returnTo: try row.text(.returnTo),
                state: try row.known(.state), browser: try row.text(.browser), sealed: try row.text(.sealed),
                expiresAt: try row.instant(.expiresAt),
                session: try row.text(.session), revocation: try row.text(.revocation), scopes: try row.text(.scopes))
        }
    }

    /// Moves a consent on, unless another caller has.
    /// - Returns: whether it was in the state `from`.
    package func move(_ consent: StoredConsent, from: StoredConsent.State) throws -> Bool {
        try execute(
            ConsentSQL.move, .text(consent.state.rawValue), .text(consent.browser), .text(consent.sealed), .text(consent.revocation),
            .text(consent.id),
            .text(from.rawValue)) == 1
    }
}

extension Tx {
    /// A one-time sign-in to an owner's page, found by the hash of its token.
    package func addPortalLink(hash: String, owner: String, expiresAt: Instant, now: Instant) throws {
        try write(SessionSQL.forgetLinks, SQLValue(now))
        try write(SessionSQL.addLink, .text(hash), .text(owner), SQLValue(expiresAt))
    }
    /// Whose portal link that is, while it can be used.
    package func portalLinkOwner(hash: String, now: Instant) throws -> String? {
        try query(SessionSQL.link, .text(hash), SQLValue(now)).first?.text(0)
    }
    /// Uses a link up.
    /// - Returns: whose it was; `nil` when it is unknown, used or too old.
    package func usePortalLink(hash: String, now: Instant) throws -> String? {
        try query(SessionSQL.useLink, .text(hash), SQLValue(now)).first?.text(0)
    }
    /// Opens a session, and forgets those that ended before `now`.
    package func addSession(hash: String, owner: String, expiresAt: Instant, now: Instant) throws {
        try write(SessionSQL.forget, SQLValue(now))
        try write(SessionSQL.add, .text(hash), .text(owner), SQLValue(expiresAt))
    }
    /// Whose session that is, while it lasts.
    package func sessionOwner(hash: String, now: Instant) throws -> String? {
        try query(SessionSQL.owner, .text(hash), SQLValue(now)).first?.text(0)
    }
    /// Ends a session.
    package func removeSession(hash: String) throws { try write(SessionSQL.remove, .text(hash)) }
    /// All of an owner's sessions end.
    package func removeSessions(of owner: String) throws { try write(SessionSQL.removeOfOwner, .text(owner)) }
    /// Whatever lets somebody in as an owner, or is about to, ends.
    package func removeAccess(of owner: String) throws {
        try removeSessions(of: owner)
        try write(SessionSQL.removeLinksOfOwner, .text(owner))
        try write(ConsentSQL.removeOfOwner, .text(owner))
    }
    /// A session that is used ends later: at `expiresAt`, if it would end before `unless`.
    package func extendSession(hash: String, to expiresAt: Instant, unlessAfter limit: Instant) throws {
        try write(SessionSQL.extend, SQLValue(expiresAt), .text(hash), SQLValue(limit))
    }
}
