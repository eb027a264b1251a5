import Foundation
import UsherCore

/// What holds where several processes are at one database.
extension DatabaseCase {
    static let together: [DatabaseCase] = [
        DatabaseCase(name: "no update is lost where the first read locks") { subject in
            try await table(subject.database)
            try await subject.database.write { try add(1, $0) }
            try await concurrently(8, subject) { database, _ in
                for _ in 0..<20 {
                    try await database.write { session in
                        let number = try session.query(locking("SELECT number FROM things WHERE id = 1", session), [])[0].int(0)
                        try session.execute("UPDATE things SET number = $1 WHERE id = 1", [.int(number + 1)])
                    }
                }
            }
            let number = try await subject.other.read { try $0.query("SELECT number FROM things", [])[0].int(0) }
            try require(number == 1 + 8 * 20, "\(number)")
        },
        DatabaseCase(name: "of many who look before they add under one lock, one adds") { subject in
            try await table(subject.database)
            try await subject.database.write { try add(1, $0) }
            let added = try await concurrently(20, subject) { database, number in
                try await database.write { session in
                    _ = try session.query(locking("SELECT id FROM things WHERE id = 1", session), [])
                    guard try session.query("SELECT id FROM things WHERE id > 1", []).isEmpty else { return false }
                    try add(number + 2, session)
                    return true
                }
            }
            try require(added.count { $0 } == 1, "\(added.count { $0 }) were added")
        },
        DatabaseCase(name: "each row is claimed once, and all are") { subject in
            try await table(subject.database)
            try await subject.database.write { session in for number in 0..<60 { try add(number, session) } }
            let claimed = try await concurrently(6, subject) { database, _ in
                var mine: [Int64] = []
                while true {
                    let some = try await database.write { session in
                        let skip = session.locksRows ? " FOR UPDATE SKIP LOCKED" : ""
                        return try session.query(
                            """
                            WITH free AS MATERIALIZED (SELECT id FROM things WHERE word = 'w' ORDER BY id LIMIT 4\(skip))
                            UPDATE things SET word = 'claimed' FROM free WHERE things.id = free.id RETURNING things.id
                            """, []
                        ).map { try $0.int(0) }
                    }
                    mine += some
                    let left = try await database.read { try $0.query("SELECT COUNT(*) FROM things WHERE word = 'w'", [])[0].int(0) }
                    if left == 0 { return mine }
                }
            }
            let all = claimed.flatMap(\.self)
            try require(all.count == 60 && Set(all).count == 60, "\(all.count) claims of \(Set(all).count) rows")
        },
        DatabaseCase(name: "callers with one key at the same moment get the one result") { subject in
            try await subject.database.write {
                _ = try $0.execute(
                    """
                    CREATE TABLE idempotency (scope TEXT NOT NULL, key TEXT NOT NULL, result BIGINT NOT NULL, PRIMARY KEY (scope, key))
                    """, [])
            }
            let results = try await concurrently(30, subject) { database, number in
                try await database.write { session in
                    let known = try session.query("SELECT result FROM idempotency WHERE scope = $1 AND key = $2", [.text("s"), .text("k")])
                    if let first = known.first { return try first.int(0) }
                    try session.executeDeferred(
                        "INSERT INTO idempotency (scope, key, result) VALUES ($1, $2, $3)", [.text("s"), .text("k"), .int(Int64(number))])
                    return Int64(number)
                }
            }
            try require(Set(results).count == 1, "\(Set(results))")
        },
        DatabaseCase(name: "two that lock the same rows in other orders both come through") { subject in
            try await table(subject.database)
            try await subject.database.write { session in for number in 0..<2 { try add(number, session) } }
            try await concurrently(2, subject) { database, number in
                for _ in 0..<10 {
                    try await database.write { session in
                        for id in number % 2 == 0 ? [0, 1] : [1, 0] {
                            try session.execute("UPDATE things SET number = number + 1 WHERE id = $1", [.int(Int64(id))])
                        }
                    }
                }
            }
            let sum = try await subject.other.read { try $0.query("SELECT number FROM things", []).reduce(0) { try $0 + $1.int(0) } }
            try require(sum == 1 + 2 * 20, "\(sum)")
        },
        DatabaseCase(name: "who has closed is dead to the others within moments, and who lives is not") { subject in
            guard subject.other as AnyObject !== subject.database as AnyObject else { return }
            try await subject.other.announce(process: "mortal")
            try await subject.database.announce(process: "alive")
            try require(try await !subject.database.isDead(process: "mortal"), "it lives")
            try await subject.other.close()
            let end = ContinuousClock.now + .seconds(5)
            while try await !subject.database.isDead(process: "mortal") {
                try require(ContinuousClock.now < end, "nobody noticed")
                try await Task.sleep(for: .milliseconds(100))
            }
            try require(try await !subject.database.isDead(process: "alive"), "it lives")
        },
        DatabaseCase(name: "others who listen are told of work") { subject in
            guard subject.other as AnyObject !== subject.database as AnyObject, subject.database.pollInterval > .milliseconds(200) else {
                return
            }
            // Once it has announced a process it listens, and has told all who were there before that it does.
            try await subject.other.announce(process: "listener")
            let (told, continuation) = AsyncStream<Void>.makeStream()
            subject.other.listen { continuation.yield() }
            subject.database.notify()
            for await _ in told { break }
        },
    ]

    static func locking(_ sql: String, _ session: any SQLSession) -> String { session.locksRows ? sql + " FOR UPDATE" : sql }

    /// Half of them in one process, half in the other.
    @discardableResult
    private static func concurrently<Result: Sendable>(
        _ count: Int, _ subject: DatabaseSubject, _ work: @escaping @Sendable (any Database, Int) async throws -> Result
    ) async throws -> [Result] {
        try await withThrowingTaskGroup(of: Result.self) { group in
            for number in 0..<count { group.addTask { try await work(number % 2 == 0 ? subject.database : subject.other, number) } }
            return try await group.reduce(into: []) { $0.append($1) }
        }
    }
}
