import Foundation
import Synchronization
import TestPostgreSQL
import UsherCore
import UsherPostgreSQL
import UsherSQLite
import UsherStore

/// An empty database with the newest schema: SQLite in memory, or with `USHER_TEST_DATABASE=postgres` one on a server of our own.
package enum TestDatabase {
    package static var isPostgreSQL: Bool { ProcessInfo.processInfo.environment["USHER_TEST_DATABASE"] == "postgres" }

    /// One without tables.
    package static func empty() throws -> any Database {
        isPostgreSQL ? try PostgreSQLDatabase(url: try PostgreSQLServer.shared().newDatabase(), connections: 2) : try SQLiteDatabase()
    }

    package static func make() async throws -> any Database {
        guard isPostgreSQL else {
            let database = try SQLiteDatabase()
            try await Store(database).migrate()
            return database
        }
        return try PostgreSQLDatabase(url: try await migrated(), connections: 2)
    }

    /// The address of a new database on the server, its schema current.
    package static func migrated() async throws -> String {
        let server = try PostgreSQLServer.shared()
        try await template.value(server)
        return try server.newDatabase(from: Template.name)
    }

    private static let template = Template()
}

/// A database that others are copied from: once migrated, copied often.
private actor Template {
    static let name = "usher_template"
    private var making: Task<Void, any Error>?

    func value(_ server: PostgreSQLServer) async throws {
        let task =
            making
            ?? Task {
                try server.sql("CREATE DATABASE \(Self.name) LOCALE 'C' TEMPLATE template0")
                let database = try PostgreSQLDatabase(url: server.url(Self.name), connections: 1)
                try await Store(database).migrate()
                try await database.close()
                // A backend ends a moment after its client.
                try server.sql("SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = '\(Self.name)'")
            }
        making = task
        try await task.value
    }
}
