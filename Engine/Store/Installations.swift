import UsherCore

/// Statements on the installation.
enum InstallationSQL: String, SQLStatement {
    case one = "SELECT id, secret, epoch, former_epoch, restored_at, place, hold FROM installation"
    case remove = "DELETE FROM installation"
    case add = """
        INSERT INTO installation (id, secret, epoch, former_epoch, restored_at, place, hold) VALUES ($1, $2, $3, $4, $5, $6, $7)
        """
}

extension Tx {
    /// The installation, as this process read it last.
    package func installation() throws -> Installation {
        if let known = memory.installation.value { return known }
        return try presentInstallation()
    }

    /// The installation as it is now.
    package func presentInstallation() throws -> Installation {
        guard let row = try query(InstallationSQL.one).first else {
            throw DatabaseError(.corrupt, "the table installation has no row")
        }
        let present = try Installation(row)
        memory.installation.value = present
        return present
    }

    /// Whether it is known that nothing may leave.
    package var isHeld: Bool { memory.installation.value?.hold != nil }

    /// Keeps others from changing the installation until the transaction ends.
    package func lockInstallation() throws { try session.lock(name: "schema") }

    /// This transaction changes whole tables: the limits on how long it may last are lifted.
    package func takesLong() throws { try session.takesLong() }

    /// Puts another in place of the present one.
    package func save(_ installation: Installation) throws {
        try execute(InstallationSQL.remove)
        try execute(InstallationSQL.add, installation.values)
    }
}

extension Store {
    /// The installation, as this process read it last.
    package func installation() async throws -> Installation {
        if let known = memory.installation.value { return known }
        return try await read { try $0.presentInstallation() }
    }

    /// Reads again whether anything may leave.
    @discardableResult
    package func refreshInstallation() async throws -> Installation { try await read { try $0.presentInstallation() } }

    /// Whether it is known that nothing may leave.
    package var isHeld: Bool { memory.installation.value?.hold != nil }

    /// Has the database's place be another text from now on, so that an older copy which is put in its stead is noticed. One process at a
    /// time does this; whenever it is cut, the place is one of the two that the row names.
    package func renewPlace(random: @escaping @Sendable (Int) -> [UInt8]) async throws {
        guard let file = database as? any FileDatabase, file.holdsPlace() else { return }
        let token = base32(random(10))
        let (present, next) = (try await file.place(), file.place(token: token))
        let isHere = try await write { tx in
            try tx.lockInstallation()
            var installation = try tx.presentInstallation()
            guard installation.isAt(present) else { return false }
            installation.place = present + "|" + next
            try tx.save(installation)
            return true
        }
        guard isHere else { return }
        try file.keep(token: token)
        try await write { tx in
            try tx.lockInstallation()
            var installation = try tx.presentInstallation()
            installation.place = next
            try tx.save(installation)
        }
    }

    /// Notices a database that lies elsewhere than before, and holds it: it may be a copy, beside the original that goes on.
    package func settle(place: String, now: Instant, random: @escaping @Sendable (Int) -> [UInt8]) async throws {
        guard try await !refreshInstallation().isAt(place) else { return }
        try await write { tx in
            try tx.session.lock(name: "schema")
            var present = try tx.presentInstallation()
            guard !present.isAt(place) else { return }
            if !present.place.isEmpty, present.hold == nil {
                present.hold(.moved, at: now, random: random)
                try tx.doubtAfterRestore(forgettingProcesses: false)
            }
            present.place = place
            try tx.save(present)
        }
        try await refreshInstallation()
    }
}
