import UsherCore

/// A catalogue that was in force, as its file was.
package struct StoredCatalogue: Hashable, Sendable {
    /// SHA-256 of the text, in base32.
    package var digest: String
    /// Counts the changes of the catalogue in force.
    package var number: Int64
    package var text: String
    /// When it was put in force last.
    package var adoptedAt: Instant

    /// Takes each property as it is.
    package init(digest: String, number: Int64, text: String, adoptedAt: Instant) {
        self.digest = digest
        self.number = number
        self.text = text
        self.adoptedAt = adoptedAt
    }
}

/// The columns of `catalogues` that are read.
enum CatalogueColumn: Int, Column {
    case digest, number, text, adoptedAt

    static let table = "catalogues"
    static let renamed: [Self: String] = [.text: "body"]
}

/// Statements on catalogues.
enum CatalogueSQL: String, SQLStatement {
    case newest = "SELECT {catalogues} FROM catalogues ORDER BY number DESC LIMIT 1"
    case newestDigest = "SELECT digest FROM catalogues ORDER BY number DESC LIMIT 1"
    case known = "SELECT digest FROM catalogues WHERE digest = $1"
    case put = """
        INSERT INTO catalogues ({catalogues}) VALUES ({$4})
        ON CONFLICT (digest) DO UPDATE SET number = excluded.number, body = excluded.body, adopted_at = excluded.adopted_at
        """
    /// Those of long ago are known by their digests alone.
    case forget = "UPDATE catalogues SET body = '' WHERE number < $1 AND body <> ''"

    static let texts: [String: StatementText] = texts(CatalogueColumn.self)
}

extension Tx {
    /// The catalogue that is in force at this installation; `nil` where none has been put in force.
    package func catalogue() throws -> StoredCatalogue? {
        try query(CatalogueSQL.newest).first.map { row in
            let row = TableRow<CatalogueColumn>(row)
            return StoredCatalogue(
                digest: try row.text(.digest), number: try row.int(.number), text: try row.text(.text),
                adoptedAt: try row.instant(.adoptedAt))
        }
    }

    /// The digest of the catalogue that is in force.
    package func catalogueDigest() throws -> String? { try query(CatalogueSQL.newestDigest).first?.text(0) }

    /// Whether a catalogue of that digest was in force, and another is.
    package func isFormerCatalogue(_ digest: String) throws -> Bool {
        guard let present = try catalogueDigest(), present != digest else { return false }
        return try !query(CatalogueSQL.known, .text(digest)).isEmpty
    }

    /// Puts a catalogue in force. Others who do so wait until this transaction ends: see ``lockCatalogue()``.
    package func put(_ catalogue: StoredCatalogue) throws {
        try write(
            CatalogueSQL.put, .text(catalogue.digest), .int(catalogue.number), .text(catalogue.text), SQLValue(catalogue.adoptedAt))
        try write(CatalogueSQL.forget, .int(catalogue.number))
    }

    /// Has one transaction at a time decide which catalogue is in force.
    package func lockCatalogue() throws { try session.lock(name: "catalogue") }
}
