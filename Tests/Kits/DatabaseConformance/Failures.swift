import UsherCore

/// What holds where something goes wrong on the way.
extension DatabaseCase {
    static let failures: [DatabaseCase] = [
        DatabaseCase(name: "deferred writes happen in their order, and a later read sees them") { subject in
            try await table(subject.database)
            let number = try await subject.database.write { session in
                for number in 0..<5 {
                    try session.executeDeferred("INSERT INTO things (id, number, word) VALUES ($1, 0, 'w')", [.int(Int64(number))])
                    try session.executeDeferred("UPDATE things SET number = number + 1", [])
                }
                return try session.query("SELECT number FROM things ORDER BY id", []).map { try $0.int(0) }
            }
            try require(number == [5, 4, 3, 2, 1], "\(number)")
            try require(try await count(subject.other) == 5, "not all were kept")
        },
        DatabaseCase(name: "a deferred write that fails fails the transaction, and nothing of it stays") { subject in
            try await table(subject.database)
            try await subject.database.write { try add(1, $0) }
            do {
                try await subject.database.write { session in
                    try add(2, session)
                    try session.executeDeferred("INSERT INTO things (id, number, word) VALUES ($1, 0, 'w')", [.int(1)])
                    try session.executeDeferred("INSERT INTO things (id, number, word) VALUES ($1, 0, 'w')", [.int(3)])
                }
                throw DatabaseFailure(description: "two rows of one key")
            } catch let error as DatabaseError { try require(error.kind == .duplicate, "\(error)") }
            try require(try await count(subject.database) == 1, "a part stayed")
        },
        DatabaseCase(name: "the database's clock agrees with the time that has passed") { subject in
            guard let clock = subject.database.clock, let other = subject.other.clock else { return }
            let (first, began) = (clock(), ContinuousClock.now)
            for _ in 0..<20 { try await subject.database.write { _ = try $0.query("SELECT 1", []) } }
            let (passed, said) = (ContinuousClock.now - began, clock() - first)
            try require(said > passed - .milliseconds(50) && said < passed + .milliseconds(50), "\(said) of \(passed)")
            let apart = clock() - other()
            try require(apart < .milliseconds(100) && apart > .milliseconds(-100), "two processes are \(apart) apart")
        },
        DatabaseCase(name: "a caller who is cancelled leaves a whole transaction or none") { subject in
            try await table(subject.database)
            for number in 0..<10 {
                let task = Task {
                    try await subject.database.write { session in
                        try add(number * 2, session)
                        try add(number * 2 + 1, session)
                    }
                }
                if number % 2 == 0 { await Task.yield() }
                task.cancel()
                let kept = (try? await task.value) != nil
                let found = try await subject.other.read {
                    try $0.query("SELECT id FROM things WHERE id / 2 = $1", [.int(Int64(number))]).count
                }
                try require(found == (kept ? 2 : 0), "\(found) rows where \(kept)")
            }
        },
        DatabaseCase(name: "whoever has lost the connection makes it again, and nobody notices") { subject in
            try await table(subject.database)
            for number in 0..<5 {
                try await subject.cut()
                try await subject.database.write { try add(number, $0) }
                try await subject.cut()
                try require(try await count(subject.database) == number + 1, "row \(number) is not there")
            }
        },
        DatabaseCase(name: "connections that are cut again and again lose no write that was said to be done, and do none twice") {
            subject in
            try await table(subject.database)
            let cutting = Task {
                while !Task.isCancelled {
                    try await subject.cut()
                    try? await Task.sleep(for: .milliseconds(15))
                }
            }
            let kept = try await withThrowingTaskGroup(of: [Int].self) { group in
                for caller in 0..<4 {
                    group.addTask {
                        var kept: [Int] = []
                        for number in 0..<25 {
                            do {
                                try await subject.database.write { try add(caller * 100 + number, $0) }
                                kept.append(caller * 100 + number)
                            } catch let error as DatabaseError where error.kind == .busy || error.kind == .unclear {}
                        }
                        return kept
                    }
                }
                return try await group.reduce(into: []) { $0 += $1 }
            }
            cutting.cancel()
            _ = try? await cutting.value
            let found = try await subject.other.read { try Set($0.query("SELECT id FROM things", []).map { Int(try $0.int(0)) }) }
            try require(found.isSuperset(of: kept), "\(Set(kept).subtracting(found)) are lost")
        },
    ]
}
