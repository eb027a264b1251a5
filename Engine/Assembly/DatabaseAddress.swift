import Foundation
import UsherCore
import UsherPostgreSQL
import UsherSQLite

/// What `DATABASE_URL` names.
package enum DatabaseAddress: Sendable {
    /// A file, used by the processes of one machine.
    case sqlite(path: String)
    /// A server, used by any number of machines. The address has a password in it.
    case postgreSQL(url: Secret)

    /// - Throws: ``ErrorCode/configuration`` in one line that says how to write it.
    package init(_ text: String) throws(UsherError) {
        if text.hasPrefix("postgres://") || text.hasPrefix("postgresql://") {
            try PostgreSQLDatabase.check(url: text)
            self = .postgreSQL(url: Secret(text))
            return
        }
        let path = String(text.dropFirst("sqlite:".count))
        guard text.hasPrefix("sqlite:"), !path.isEmpty, path != ":memory:" else {
            throw UsherError(
                .configuration,
                "DATABASE_URL must be sqlite: and a file, such as sqlite:/var/lib/usher/usher.sqlite, or an address of PostgreSQL, such as postgres://usher:password@db.northwind.example/usher?sslmode=verify-full."
            )
        }
        self = .sqlite(path: path.hasPrefix("//") ? String(path.dropFirst(2)) : path)
    }

    /// As people are told of it; without a password.
    package var name: String {
        switch self {
        case .sqlite(let path): path
        case .postgreSQL(let url): PostgreSQLDatabase.name(url: url.reveal())
        }
    }

    /// The file, where it is one.
    package var path: String? {
        if case .sqlite(let path) = self { path } else { nil }
    }

    /// Whether there is a database already. Of a server that is known once it is asked.
    package var exists: Bool { path.map { FileManager.default.fileExists(atPath: $0) } ?? true }

    /// - Throws: ``UsherError`` that says what is wrong and how to mend it.
    func open() throws -> any Database {
        switch self {
        case .postgreSQL(let url): return try PostgreSQLDatabase(url: url.reveal())
        case .sqlite(let path):
            do { return try SQLiteDatabase(path: path) } catch {
                throw UsherError(
                    .configuration, "The database \(path) cannot be opened: \(error). Check DATABASE_URL, the folder and its owner.")
            }
        }
    }
}
