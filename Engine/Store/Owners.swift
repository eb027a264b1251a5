import UsherCore

/// The columns of `owners` that are read.
enum OwnerColumn: Int, Column {
    case id, name, email, timeZone, language, hosts, defaultProvider, inFile, active, defaultChosen, schedule, limits

    static let table = "owners"
}

enum OwnerSQL: String, SQLStatement {
    case one = """
        SELECT {owners} FROM owners WHERE id = $1
        """
    case list = """
        SELECT {owners} FROM owners ORDER BY id
        """
    case fromFile = """
        INSERT INTO owners
            (id, name, email, time_zone, language, hosts, default_provider, schedule, limits, default_chosen, in_file, active, touched)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, 0, 1, 1, 0)
        ON CONFLICT (id) DO UPDATE SET name = excluded.name, email = excluded.email, time_zone = excluded.time_zone,
            language = excluded.language, hosts = excluded.hosts, schedule = excluded.schedule, limits = excluded.limits, in_file = 1,
            active = 1,
            default_provider = CASE WHEN owners.default_chosen = 1 THEN owners.default_provider ELSE excluded.default_provider END
        """
    case put = """
        INSERT INTO owners (id, name, email, time_zone, language, schedule, hosts, default_chosen, in_file, active, touched)
        VALUES ($1, $2, $3, $4, $5, $6, '{}', 0, 0, 1, 0)
        ON CONFLICT (id) DO UPDATE SET name = excluded.name, email = excluded.email, time_zone = excluded.time_zone,
            language = excluded.language, schedule = excluded.schedule, active = 1
        """
    case deactivate = """
        UPDATE owners SET in_file = 0, active = 0, default_provider = NULL, default_chosen = 0, hosts = '{}',
            schedule = NULL, limits = NULL WHERE id = $1
        """
    case setDefault = "UPDATE owners SET default_provider = $1, default_chosen = 1 WHERE id = $2"
    case locked = "SELECT {owners}, (SELECT COUNT(*) FROM webhooks) FROM owners WHERE id = $1{lock}"

    static let texts: [String: StatementText] = texts(OwnerColumn.self)
}

extension Tx {
    package func owner(_ id: String) throws -> StoredOwner? {
        if let locked = seen.owner, locked.owner.id == id { return locked }
        return try query(OwnerSQL.one, .text(id)).first.map(owner(from:))
    }
    /// The owner as they will be once `catalog` is in force: for a look that changes nothing.
    package func owner(_ id: String, in catalog: Catalog) throws -> StoredOwner? {
        let stored = try owner(id)
        guard var listed = catalog.owners.first(where: { $0.id == id }) else { return stored }
        if let stored, stored.hasChosenDefault { listed.defaultProvider = stored.owner.defaultProvider }
        return StoredOwner(
            owner: listed, isInFile: true, isActive: true, hasChosenDefault: stored?.hasChosenDefault ?? false)
    }
    /// All owners as they will be once `catalog` is in force.
    package func owners(in catalog: Catalog) throws -> [StoredOwner] {
        let stored = try owners()
        let ids = Set(stored.map(\.owner.id)).union(catalog.owners.map(\.id))
        return try ids.sorted().compactMap { try owner($0, in: catalog) }
    }
    package func owners() throws -> [StoredOwner] { try query(OwnerSQL.list).map(owner(from:)) }

    /// Makes the owners of the file those of the database.
    /// - Parameter leaving: called for each who has left the file, and is to be removed.
    package func follow(_ file: [Owner], leaving: (String) throws -> Void) throws {
        let listed = Set(file.map(\.id))
        for stored in try owners() where stored.isInFile && !listed.contains(stored.owner.id) { try leaving(stored.owner.id) }
        try adopt(file)
    }

    /// Takes the owners of a file in: what the file says wins, but for a default provider that the owner has chosen.
    package func adopt(_ file: [Owner]) throws {
        for owner in file {
            try write(
                OwnerSQL.fromFile, .text(owner.id), .text(owner.name), .text(owner.email), .text(owner.timeZone), .text(owner.language),
                .text(try Stored.text(owner.hosts)), SQLValue(owner.defaultProvider), SQLValue(owner.schedule),
                try Stored.optional(owner.limits))
        }
    }

    /// Makes or changes an owner who is not in the file.
    package func put(_ owner: Owner) throws {
        try write(
            OwnerSQL.put, .text(owner.id), .text(owner.name), .text(owner.email), .text(owner.timeZone), .text(owner.language),
            SQLValue(owner.schedule))
    }

    /// What the owner has chosen, which the file does not overrule; `nil` clears it.
    package func setDefaultProvider(_ provider: String?, owner id: String) throws {
        try write(OwnerSQL.setDefault, SQLValue(provider), .text(id))
    }

    /// An owner, locked until the transaction ends, so that bookings of one owner are made one after the other.
    package func lockOwner(_ id: String) throws -> StoredOwner? {
        guard let row = try query(OwnerSQL.locked, .text(id)).first else { return nil }
        let width = OwnerColumn.allCases.count
        seen.hasWebhooks = try row.int(width) > 0
        let owner = try owner(from: row.part(0..<width))
        seen.owner = owner
        return owner
    }

    /// Takes an owner out: no new bookings, and nothing of what they had chosen is left for one made anew under the id.
    package func deactivateOwner(_ id: String) throws {
        // As they were when they were locked, they are no more.
        if seen.owner?.owner.id == id { seen.owner = nil }
        try write(OwnerSQL.deactivate, .text(id))
    }

    private func owner(from row: SQLRow) throws -> StoredOwner {
        try memory.owners.value(row, key: TableRow<OwnerColumn>(row).text(.id)) { try decode($0) }
    }

    private func decode(_ row: SQLRow) throws -> StoredOwner {
        let row = TableRow<OwnerColumn>(row)
        return StoredOwner(
            owner: Owner(
                id: try row.text(.id), name: try row.text(.name), email: try row.text(.email), timeZone: try row.text(.timeZone),
                language: try row.text(.language), defaultProvider: try row.optionalText(.defaultProvider),
                hosts: try row.value([String: String].self, .hosts), schedule: try row.optionalText(.schedule),
                limits: try row.optionalValue(SlotLimits.self, .limits)),
            isInFile: try row.bool(.inFile), isActive: try row.bool(.active), hasChosenDefault: try row.bool(.defaultChosen))
    }
}
