import Synchronization

/// What costs more to make than to keep, by key. It is emptied when it has grown to its limit.
package final class Memo<Key: Hashable & Sendable, Value: Sendable>: Sendable {
    private let limit: Int
    private let known = Mutex<[Key: Value]>([:])

    package init(limit: Int) { self.limit = limit }

    /// The value of `key`; two callers at the same moment may both make it, so `make` gives equal values for equal keys.
    package func value(_ key: Key, make: () throws -> Value) rethrows -> Value {
        if let known = known.withLock({ $0[key] }) { return known }
        let made = try make()
        known.withLock { known in
            if known.count >= limit { known.removeAll() }
            known[key] = made
        }
        return made
    }
}
