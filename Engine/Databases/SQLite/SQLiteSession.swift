import GRDB
import GRDBSQLite
import UsherCore

/// One of GRDB's connections inside a transaction. Statements are prepared and kept by GRDB; binding and reading go to SQLite
/// itself, because a booking takes some fifty statements, and boxing their values would cost more than running them.
final class SQLiteSession: SQLSession {
    private let database: GRDB.Database
    /// One connection writes at a time.
    let locksRows = false
    /// Whether a statement was run that may change something.
    private(set) var hasWritten = false

    init(_ database: GRDB.Database) { self.database = database }

    var isInsideTransaction: Bool { database.isInsideTransaction }

    func query(_ sql: String, _ arguments: [SQLValue]) throws -> [SQLRow] {
        var rows: [SQLRow] = []
        try run(sql, arguments) { handle in
            rows.append(SQLRow((0..<sqlite3_column_count(handle)).map { SQLValue(handle, column: $0) }))
        }
        return rows
    }

    @discardableResult
    func execute(_ sql: String, _ arguments: [SQLValue]) throws -> Int {
        try run(sql, arguments) { _ in }
        return database.changesCount
    }

    private func run(_ sql: String, _ arguments: [SQLValue], _ row: (OpaquePointer) -> Void) throws {
        let statement = try database.cachedStatement(sql: sql)
        let handle = statement.sqliteStatement
        if sqlite3_stmt_readonly(handle) == 0 { hasWritten = true }
        defer {
            sqlite3_reset(handle)
            sqlite3_clear_bindings(handle)
        }
        for (index, value) in arguments.enumerated() {
            let code = value.bind(handle, Int32(index + 1))
            guard code == SQLITE_OK else { throw error(code, sql) }
        }
        while true {
            switch sqlite3_step(handle) {
            case SQLITE_ROW: row(handle)
            case SQLITE_DONE: return
            case let code: throw error(code, sql)
            }
        }
    }

    private func error(_ code: Int32, _ sql: String) -> GRDB.DatabaseError {
        GRDB.DatabaseError(
            resultCode: ResultCode(rawValue: code), message: database.sqliteConnection.map { String(cString: sqlite3_errmsg($0)) }, sql: sql
        )
    }
}

extension SQLValue {
    /// SQLite is to copy what it is given.
    private static let transient = unsafeBitCast(-1, to: sqlite3_destructor_type.self)

    fileprivate func bind(_ handle: OpaquePointer, _ index: Int32) -> Int32 {
        switch self {
        case .null: return sqlite3_bind_null(handle, index)
        case .int(let value): return sqlite3_bind_int64(handle, index, value)
        case .text(var text):
            return text.withUTF8 { bytes in
                bytes.withMemoryRebound(to: CChar.self) { characters in
                    // An empty text may have no address, and would be NULL.
                    guard let start = characters.baseAddress else { return sqlite3_bind_text(handle, index, "", 0, Self.transient) }
                    return sqlite3_bind_text(handle, index, start, Int32(characters.count), Self.transient)
                }
            }
        }
    }

    fileprivate init(_ handle: OpaquePointer, column: Int32) {
        switch sqlite3_column_type(handle, column) {
        case SQLITE_INTEGER, SQLITE_FLOAT: self = .int(sqlite3_column_int64(handle, column))
        case SQLITE_TEXT:
            guard let bytes = sqlite3_column_text(handle, column) else {
                self = .text("")
                return
            }
            self = .text(
                String(decoding: UnsafeBufferPointer(start: bytes, count: Int(sqlite3_column_bytes(handle, column))), as: UTF8.self))
        default: self = .null
        }
    }
}
