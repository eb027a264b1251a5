import ArgumentParser
import Foundation
import UsherAssembly
import UsherCore

struct DatabaseCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "db", abstract: "The database as a whole.", subcommands: [Copy.self])

    struct Copy: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Move an installation to another database, from SQLite to PostgreSQL or back.",
            discussion: """
                Stop the servers first. The target must be empty; what was copied is compared row by row, and if anything is amiss the
                target is left empty. Secrets stay sealed under their keys: take the keys of the file beside a SQLite database over into
                USHER_VAULT_KEYS. Then set DATABASE_URL to the new address, and start the servers.
                """)
        @Argument(help: "As in DATABASE_URL: sqlite:usher.sqlite, or postgres://…") var from: String
        @Argument(help: "As in DATABASE_URL.") var to: String
        @Flag(help: "Say what was copied as JSON.") var json = false

        func run() async throws {
            let copy = try await DatabaseCopy.open(try DatabaseAddress(from), try DatabaseAddress(to))
            let bar = ProgressBar()
            let copied: [DatabaseCopy.Copied]
            do { copied = try await copy.move { bar.show($0.table, $0.done, of: $0.total) } } catch {
                bar.end()
                try await copy.close()
                throw error
            }
            bar.end()
            try await copy.close()
            tell(copied)
        }

        private func tell(_ copied: [DatabaseCopy.Copied]) {
            let rows = copied.map(\.rows).reduce(0, +)
            guard json else {
                for table in copied where table.rows > 0 { print("\(table.rows)\t\(table.table)") }
                return print("\(rows) rows copied and compared. Now set DATABASE_URL to the new address.")
            }
            Output.json([
                "rows": .int(rows),
                "tables": .array(copied.map { ["table": .string($0.table), "rows": .int($0.rows), "sha256": .string($0.digest)] }),
            ])
        }
    }
}
