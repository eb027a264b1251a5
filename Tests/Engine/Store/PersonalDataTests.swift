import Testing
import UsherCore
import UsherSQLite
import UsherStore

@Suite(.timeLimit(.minutes(1)))
struct PersonalDataTests {
    @Test("every column of every table is in the list of what is personal and what is not")
    func census() async throws {
        let database = try SQLiteDatabase()
        try await Store(database).migrate()
        let columns = try await database.read { session in
            let tables = try session.query(
                "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY name", [])
            return try tables.map { table in
                let name = try table.text(0)
                return (name, Set(try session.query("SELECT name FROM pragma_table_info('\(name)')", []).map { try $0.text(0) }))
            }
        }
        let listed = Dictionary(uniqueKeysWithValues: PersonalTable.all.map { ($0.name, $0.personal + $0.others) })
        for (table, present) in columns {
            let known = listed[table] ?? []
            #expect(Set(known) == present && known.count == present.count, "\(table): \(present.symmetricDifference(known).sorted())")
        }
        #expect(Set(columns.map(\.0)) == Set(listed.keys))
    }
}
