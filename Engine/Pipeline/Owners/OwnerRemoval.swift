import UsherCore
import UsherStore

extension EngineContext {
    /// Has a grant ended at its service, from `due` on.
    func revoke(_ revocation: StoredRevocation, due: Instant, _ tx: Tx) throws { try tx.revoke(revocation, due: due, now: now) }

    /// Has the grant of a connection ended, that ends here in this transaction.
    func revoke(_ connection: StoredConnection, _ tx: Tx) throws { try tx.revoke(connection, as: environment.id("rv_"), now: now) }

    /// Takes an owner out: bookings stay; sessions, links, connections and apps end in this transaction, and each grant is ended at its
    /// service. One made anew under the id begins with nothing.
    package func removeOwner(_ id: String, _ tx: Tx) throws {
        // Whoever gives this owner something at the same moment has the lock, and is waited for, or finds them gone.
        _ = try tx.lockOwner(id)
        try tx.removeAccess(of: id)
        for connection in try tx.lockConnections(of: id) {
            try revoke(connection, tx)
            if try tx.remove(connection) { try announcer.tell(.connectionRemoved, connection, tx) }
        }
        try tx.leaveRevocations(toFormer: id)
        try tx.removeApps(of: id)
        try tx.removeCalendars(of: id)
        try tx.removeTimeOff(of: id)
        try tx.removeLostConnections(of: id)
        try tx.deactivateOwner(id)
        try audit("owner.remove", id, tx)
    }

    /// Makes the owners of a file those of the database; who has left it is removed.
    package func follow(_ owners: [Owner], _ tx: Tx) throws { try tx.follow(owners) { try removeOwner($0, tx) } }
}

extension Tx {
    fileprivate func revoke(_ revocation: StoredRevocation, due: Instant, now: Instant) throws {
        try add(revocation)
        try enqueue(followUps(of: .grantDiscarded(revocation, from: due), now: now), now: now)
    }

    /// Has a connection's grant ended at its service, for want of anybody who uses it.
    func revoke(_ connection: StoredConnection, as id: String, now: Instant) throws {
        let app = try apps(of: connection.ownerID).first { $0.provider == connection.provider && $0.clientID == connection.clientID }
        try revoke(
            StoredRevocation(
                id: id, ownerID: connection.ownerID, provider: connection.provider, clientID: connection.clientID,
                accountID: connection.account.id, email: connection.account.email, sealed: connection.sealed, app: app?.sealed ?? "",
                since: now), due: now, now: now)
    }
}
