import Foundation
import TestSupport
import TestValues
import UsherCore
import UsherMail
import UsherStore

/// What is dear to make, and serves one run after the other: a database, catalogues, and the mails' templates.
final class World: Sendable {
    let database: any Database
    let catalog: Catalog
    /// The file as the admin has it at other times: a room has moved, and Tom has left.
    let otherCatalog: Catalog
    let renderer: MailRenderer

    init() throws {
        database = try TestDatabase.empty()
        renderer = try MailRenderer()
        let text = TestCatalog.text.replacing(
            "  default-provider: room\n", with: "  default-provider: room\n  busy: { max-age: 30m }\n"
        ).replacing(
            "title: \"At Zoom\", duration: 30m,", with: "title: \"At Zoom\", duration: 30m, reminders: [1h, 10m],"
        ).replacing(
            "  teams: { module: microsoft-teams }",
            with: """
                  teams: { module: microsoft-teams }
                  hall: { module: jitsi, url: "https://jitsi.northwind.example" }
                  stage: { module: mirotalk, url: "https://mirotalk.sandbox" }
                """
        ).appending(
            """

              hall: { title: "At Jitsi", duration: 30m, provider: hall }
              stage: { title: "At MiroTalk", duration: 30m, provider: stage }
              slotted:
                title: "By slots"
                duration: 30m
                hosts: { ana: 2, tom: 1 }
                slots: { schedule: always, step: 1m, buffer: { after: 5m }, limits: { day: 9 }, hold: 2m }
            schedules:
              always: { time-zone: Europe/Berlin, weekly: { mon-sun: ["00:00-24:00"] } }
            """)
        catalog = try TestCatalog.read(text)
        otherCatalog = try TestCatalog.read(
            text.replacing("https://meet.northwind.example/{code}", with: "https://rooms.northwind.example/{code}")
                .replacing("  tom: { name: Tom Berg, email: tom@northwind.example }\n", with: "")
                .replacing("{ ana: 2, tom: 1 }", with: "[ana]"))
    }

    /// Makes the database as good as new.
    func clear() async throws {
        try await Store(database).migrate()
        if TestDatabase.isPostgreSQL { try await truncate() } else { try await empty() }
        // The same installation for the same seed.
        try await Store(database).migrate { Array(repeating: 7, count: $0) }
    }

    private func empty() async throws {
        try await database.write { session in
            try session.execute("PRAGMA defer_foreign_keys = ON", [])
            let tables = try session.query(
                "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%' AND name <> 'schema_versions'", [])
            for table in tables { try session.execute("DELETE FROM \(try table.text(0))", []) }
        }
    }
    private func truncate() async throws {
        try await database.write { session in
            let tables = try session.query(
                "SELECT tablename FROM pg_tables WHERE schemaname = 'public' AND tablename <> 'schema_versions' ORDER BY tablename", [])
            _ = try session.execute("TRUNCATE \(try tables.map { try $0.text(0) }.joined(separator: ", ")) CASCADE", [])
        }
    }
}
