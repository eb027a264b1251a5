import UsherCore

/// The columns of a table that are read together, in their order: the one place where they are listed.
///
/// A statement writes `{bookings}` for the list of a table's columns, `{o.outbox}` where the table has an alias, and `{$19}` for as many
/// parameters. A row is read by column, not by position.
protocol Column: RawRepresentable<Int>, CaseIterable, Hashable, Sendable {
    /// The table's name.
    static var table: String { get }
    /// The columns whose names in the table are not those of their cases.
    static var renamed: [Self: String] { get }
}

extension Column {
    static var renamed: [Self: String] { [:] }

    /// `id, owner_id, starts_at`
    static func list(_ prefix: String = "") -> String { allCases.map { prefix + $0.name }.joined(separator: ", ") }

    private var name: String {
        Self.renamed[self]
            ?? "\(self)".replacing("ID", with: "Id").reduce(into: "") { $0 += $1.isUppercase ? "_" + $1.lowercased() : String($1) }
    }
}

/// A row of one table.
struct TableRow<Columns: Column> {
    private let row: SQLRow

    init(_ row: SQLRow) { self.row = row }

    func text(_ column: Columns) throws -> String { try row.text(column.rawValue) }
    func int(_ column: Columns) throws -> Int64 { try row.int(column.rawValue) }
    func bool(_ column: Columns) throws -> Bool { try row.bool(column.rawValue) }
    func instant(_ column: Columns) throws -> Instant { try row.instant(column.rawValue) }
    func optionalText(_ column: Columns) throws -> String? { try row.optionalText(column.rawValue) }
    func optionalInt(_ column: Columns) throws -> Int64? { try row.optionalInt(column.rawValue) }
    func optionalInstant(_ column: Columns) throws -> Instant? { try optionalInt(column).map(Instant.init(microseconds:)) }

    /// The case of an enumeration that a column names.
    func known<Value: RawRepresentable<String>>(_ column: Columns) throws -> Value { try UsherStore.known(text(column)) }
    /// A value that a column holds as JSON.
    func value<Value: Decodable>(_ type: Value.Type, _ column: Columns) throws -> Value { try Stored.value(type, text(column)) }
    func optionalValue<Value: Decodable>(_ type: Value.Type, _ column: Columns) throws -> Value? {
        try optionalText(column).map { try Stored.value(type, $0) }
    }
}
