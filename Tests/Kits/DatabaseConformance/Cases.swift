import UsherCore

/// A promise of the database seam that was not kept.
package struct DatabaseFailure: Error, CustomStringConvertible {
    package var description: String
}

/// A database that is to keep the promises: empty, and nobody else's.
package struct DatabaseSubject: Sendable {
    package var database: any Database
    /// The same database as another process has it; the same object where there can be only one.
    package var other: any Database
    /// Cuts every connection to it, where it has such.
    package var cut: @Sendable () async throws -> Void

    package init(_ database: any Database, other: (any Database)? = nil, cut: @escaping @Sendable () async throws -> Void = {}) {
        self.database = database
        self.other = other ?? database
        self.cut = cut
    }
}

/// One promise of the database seam.
package struct DatabaseCase: Sendable, CustomStringConvertible {
    package var name: String
    package var run: @Sendable (DatabaseSubject) async throws -> Void
    package var description: String { name }

    init(name: String, run: @escaping @Sendable (DatabaseSubject) async throws -> Void) {
        self.name = name
        self.run = run
    }

    /// One that a single process can keep.
    init(name: String, alone run: @escaping @Sendable (any Database) async throws -> Void) {
        self.init(name: name) { try await run($0.database) }
    }

    /// Every promise.
    package static let all: [DatabaseCase] = values + together + failures

    private static let values: [DatabaseCase] = [
        DatabaseCase(
            name: "values come back as they went in",
            alone: { database in
                try await table(database)
                let values: [SQLValue] = [.int(Int64.max), .text("é🎉'\"\\"), .null]
                try await database.write { session in
                    for (index, value) in values.enumerated() {
                        try session.execute("INSERT INTO things (id, number, word) VALUES ($1, $2, $3)", value.row(index))
                    }
                }
                let rows = try await database.read { try $0.query("SELECT number, word FROM things ORDER BY id", []) }
                try require(rows.count == 3, "\(rows.count) rows")
                try require(try rows[0].int(0) == Int64.max && rows[1].text(1) == "é🎉'\"\\" && rows[2].optionalText(1) == nil, "\(rows)")
            }),
        DatabaseCase(
            name: "a parameter may be mentioned twice",
            alone: { database in
                try await table(database)
                try await database.write {
                    try _ = $0.execute("INSERT INTO things (id, number, word) VALUES ($1, $2, $2)", [.int(1), .int(7)])
                }
                let count = try await database.read {
                    try $0.query("SELECT COUNT(*) FROM things WHERE number = $1 AND id < $1", [.int(7)])[0].int(0)
                }
                try require(count == 1, "\(count)")
            }),
        DatabaseCase(
            name: "what a transaction throws undoes all of it, and comes out as thrown",
            alone: { database in
                try await table(database)
                struct Thrown: Error {}
                do {
                    try await database.write { session in
                        try add(1, session)
                        throw Thrown()
                    }
                    throw DatabaseFailure(description: "nothing was thrown")
                } catch is Thrown {}
                try require(try await count(database) == 0, "a row stayed")
            }),
        DatabaseCase(
            name: "callers at the same moment each get their own outcome",
            alone: { database in
                try await table(database)
                struct Thrown: Error {}
                let kept = await withTaskGroup(of: Bool.self) { group in
                    for number in 0..<100 {
                        group.addTask {
                            do {
                                try await database.write { session in
                                    try add(number, session)
                                    if number % 4 == 0 { throw Thrown() }
                                }
                                return true
                            } catch { return false }
                        }
                    }
                    return await group.reduce(0) { $0 + ($1 ? 1 : 0) }
                }
                try require(kept == 75, "\(kept) were kept")
                try require(try await count(database) == 75, "other rows than were promised")
            }),
        DatabaseCase(
            name: "a read after a write sees it",
            alone: { database in
                try await table(database)
                for number in 0..<20 {
                    try await database.write { try add(number, $0) }
                    try require(try await count(database) == number + 1, "row \(number) is not there yet")
                }
            }),
        DatabaseCase(
            name: "a row that a rule forbids is a duplicate, and harms no other",
            alone: { database in
                try await table(database)
                try await database.write { try add(1, $0) }
                do {
                    try await database.write { try add(1, $0) }
                    throw DatabaseFailure(description: "two rows of one key")
                } catch let error as DatabaseError { try require(error.kind == .duplicate, "\(error)") }
                try await database.write { try add(2, $0) }
            }),
        DatabaseCase(
            name: "a changed row is counted, and can be returned",
            alone: { database in
                try await table(database)
                let (changed, returned) = try await database.write { session in
                    for number in 0..<3 { try add(number, session) }
                    let changed = try session.execute("UPDATE things SET number = number + 1 WHERE id > $1", [.int(0)])
                    return (changed, try session.query("UPDATE things SET word = 'x' WHERE id = $1 RETURNING id", [.int(2)]).count)
                }
                try require(changed == 2 && returned == 1, "\(changed), \(returned)")
            }),
        DatabaseCase(
            name: "a living process is not taken for dead",
            alone: { database in
                try await database.announce(process: "conformance")
                try require(try await !database.isDead(process: "conformance"), "it lives")
            }),
    ]

    static func table(_ database: any Database) async throws {
        try await database.write { try _ = $0.execute("CREATE TABLE things (id BIGINT PRIMARY KEY, number BIGINT, word TEXT)", []) }
    }
    static func add(_ number: Int, _ session: any SQLSession) throws {
        try session.execute("INSERT INTO things (id, number, word) VALUES ($1, $1, 'w')", [.int(Int64(number))])
    }
    static func count(_ database: any Database) async throws -> Int64 {
        try await database.read { try $0.query("SELECT COUNT(*) FROM things", [])[0].int(0) }
    }
}

func require(_ condition: Bool, _ description: @autoclosure () -> String) throws {
    guard condition else { throw DatabaseFailure(description: description()) }
}

extension SQLValue {
    fileprivate func row(_ index: Int) -> [SQLValue] {
        switch self {
        case .int: [.int(Int64(index)), self, .null]
        case .text: [.int(Int64(index)), .null, self]
        case .null: [.int(Int64(index)), .null, .null]
        }
    }
}
