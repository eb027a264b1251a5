import Synchronization
import UsherCore

/// What a store keeps of what it has decoded.
final class StoreCache: Sendable {
    let terms = TermsCache()
    let bookings = RowCache<Booking>()
    let rooms = RowCache<RoomRecord>()
    let owners = RowCache<StoredOwner>()
    let installation = InstallationCache()
}

/// What a process knows of its installation.
final class InstallationCache: Sendable {
    private let known = Mutex<Installation?>(nil)
    var value: Installation? {
        get { known.withLock { $0 } }
        set { known.withLock { $0 = newValue } }
    }
}

/// Values beside the rows that they were decoded from: a row that has not changed is not decoded again.
final class RowCache<Value: Sendable>: Sendable {
    /// For what is being worked on now: so many young ones, and as many of before.
    private static var limit: Int { 500 }
    private struct CachedRow {
        var young: [String: (row: SQLRow, value: Value)] = [:]
        var old: [String: (row: SQLRow, value: Value)] = [:]
    }
    private let known = Mutex(CachedRow())

    func value(_ row: SQLRow, key: String, decode: (SQLRow) throws -> Value) rethrows -> Value {
        if let (seen, value) = known.withLock({ $0.young[key] ?? $0.old[key] }), seen == row { return value }
        let value = try decode(row)
        keep(row, value, key: key)
        return value
    }

    /// Keeps a value beside the row that it was written as. It need not be what the table holds in the end: a row that is read is compared first.
    func keep(_ row: SQLRow, _ value: Value, key: String) {
        known.withLock { known in
            if known.young.count >= Self.limit { (known.young, known.old) = ([:], known.young) }
            known.young[key] = (row, value)
        }
    }

    func row(_ key: String) -> SQLRow? { known.withLock { ($0.young[key] ?? $0.old[key])?.row } }
}

/// Terms by id: many bookings share one, and it never changes, so it is read and decoded once.
final class TermsCache: Sendable {
    private static let limit = 10_000
    private let known = Mutex<[String: Terms]>([:])

    subscript(id: String) -> Terms? { known.withLock { $0[id] } }

    func knows(_ id: String) -> Bool { known.withLock { $0.index(forKey: id) != nil } }

    /// - Returns: whether anything was known.
    func forget() -> Bool {
        known.withLock { known in
            defer { known.removeAll() }
            return !known.isEmpty
        }
    }

    /// - Parameter terms: from a transaction that has been committed.
    func learn(_ terms: [String: Terms]) {
        guard !terms.isEmpty else { return }
        known.withLock { known in
            if known.count >= Self.limit { known.removeAll() }
            known.merge(terms) { known, _ in known }
        }
    }
}
