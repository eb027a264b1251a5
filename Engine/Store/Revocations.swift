import UsherCore

/// A grant that is of no use any more, and is to be ended at its service: tried for a day.
package struct StoredRevocation: Hashable, Sendable {
    /// `rv_…`
    package var id: String
    /// Whose grant it was.
    package var ownerID: String
    /// The provider that it was made as.
    package var provider: String
    /// The app that it was given to.
    package var clientID: String
    /// The account's id at the service; empty where it is not known.
    package var accountID: String
    /// The account's address, for pages.
    package var email: String
    /// The grant, sealed as the owner's connection is.
    package var sealed: String
    /// The owner's own app that it was given to, sealed as it lay; empty for the site's.
    package var app: String
    /// When it was begun.
    package var since: Instant
    /// The service never took it: the owner is told to end it there.
    package var isGivenUp: Bool

    /// Takes each property as it is.
    package init(
        id: String, ownerID: String, provider: String, clientID: String, accountID: String, email: String, sealed: String,
        app: String = "", since: Instant, isGivenUp: Bool = false
    ) {
        self.id = id
        self.ownerID = ownerID
        self.provider = provider
        self.clientID = clientID
        self.accountID = accountID
        self.email = email
        self.sealed = sealed
        self.app = app
        self.since = since
        self.isGivenUp = isGivenUp
    }
}

/// The columns of `revocations` that are read.
enum RevocationColumn: Int, Column {
    case id, ownerID, provider, clientID, accountID, email, sealed, app, since, givenUp

    static let table = "revocations"
}

/// Statements on grants that are to be ended at their service.
enum RevocationSQL: String, SQLStatement {
    case add = """
        INSERT INTO revocations ({revocations})
        VALUES ({$10})
        """
    case one = """
        SELECT {revocations} FROM revocations WHERE id = $1
        """
    case ofOwner = """
        SELECT {revocations} FROM revocations
        WHERE owner_id = $1 AND of_former = 0 ORDER BY since, id
        """
    case leaveToFormer = "UPDATE revocations SET of_former = 1 WHERE owner_id = $1"
    case giveUp = "UPDATE revocations SET given_up = 1, sealed = '', app = '' WHERE id = $1"
    case renew = "UPDATE revocations SET sealed = $1 WHERE id = $2"
    case remove = "DELETE FROM revocations WHERE id = $1"
    case removeOfAccount = "DELETE FROM revocations WHERE client_id = $1 AND account_id = $2"

    static let texts: [String: StatementText] = texts(RevocationColumn.self)
}

extension Tx {
    /// Adds a revocation.
    package func add(_ revocation: StoredRevocation) throws {
        try write(
            RevocationSQL.add, .text(revocation.id), .text(revocation.ownerID), .text(revocation.provider), .text(revocation.clientID),
            .text(revocation.accountID), .text(revocation.email), .text(revocation.sealed), .text(revocation.app),
            SQLValue(revocation.since), SQLValue(revocation.isGivenUp))
    }
    /// The revocation of that id.
    package func revocation(_ id: String) throws -> StoredRevocation? {
        try query(RevocationSQL.one, .text(id)).first.map(revocation(from:))
    }
    /// Those of the owner who has the id now.
    package func revocations(of owner: String) throws -> [StoredRevocation] {
        try query(RevocationSQL.ofOwner, .text(owner)).map(revocation(from:))
    }
    /// What is to be ended of an owner who is taken out is no matter of one made anew under the id.
    package func leaveRevocations(toFormer owner: String) throws { try write(RevocationSQL.leaveToFormer, .text(owner)) }
    /// The grant is forgotten here; that it may stand there stays known.
    package func giveUpRevocation(_ id: String) throws { try write(RevocationSQL.giveUp, .text(id)) }
    /// Keeps a grant that was renewed on the way.
    package func renew(_ id: String, sealed: String) throws { try write(RevocationSQL.renew, .text(sealed), .text(id)) }
    /// Forgets a revocation that is done.
    package func removeRevocation(_ id: String) throws { try write(RevocationSQL.remove, .text(id)) }
    /// The account is connected anew: ending an old grant could end the new one with it.
    package func removeRevocations(clientID: String, accountID: String) throws {
        try write(RevocationSQL.removeOfAccount, .text(clientID), .text(accountID))
    }

    private func revocation(from row: SQLRow) throws -> StoredRevocation {
        let row = TableRow<RevocationColumn>(row)
        return StoredRevocation(
            id: try row.text(.id), ownerID: try row.text(.ownerID), provider: try row.text(.provider), clientID: try row.text(.clientID),
            accountID: try row.text(.accountID), email: try row.text(.email), sealed: try row.text(.sealed), app: try row.text(.app),
            since: try row.instant(.since),
            isGivenUp: try row.bool(.givenUp))
    }
}
