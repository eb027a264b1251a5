import UsherCore

/// A slot, and how many hosts are free for it.
package struct PoolSlot: Hashable, Sendable {
    package var start: Instant
    package var free: Int

    /// Takes each property as it is.
    package init(start: Instant, free: Int) {
        self.start = start
        self.free = free
    }
}

/// Hosts who stand in for each other.
package enum Pool {
    /// The starts at which at least one is free, in order.
    /// - Parameter hosts: the slots of each, in order.
    package static func union(_ hosts: [[Instant]]) -> [PoolSlot] {
        if hosts.count == 1 { return hosts[0].map { PoolSlot(start: $0, free: 1) } }
        guard let first = hosts.compactMap(\.first).min(), let last = hosts.compactMap(\.last).max() else { return [] }
        let minute = Duration.minutes(1).microseconds
        // Starts are whole minutes wherever zones are; a table of minutes is quicker than a sort.
        guard hosts.allSatisfy({ $0.allSatisfy { ($0 - first).microseconds % minute == 0 } }) else { return sorted(hosts) }
        var free = [UInt16](repeating: 0, count: Int((last - first).microseconds / minute) + 1)
        for host in hosts { for start in host { free[Int((start.microseconds - first.microseconds) / minute)] += 1 } }
        return free.enumerated().compactMap { index, count in
            count == 0 ? nil : PoolSlot(start: first + .minutes(Int64(index)), free: Int(count))
        }
    }

    private static func sorted(_ hosts: [[Instant]]) -> [PoolSlot] {
        Dictionary(hosts.joined().map { ($0, 1) }, uniquingKeysWith: +).map { PoolSlot(start: $0.key, free: $0.value) }
            .sorted { $0.start < $1.start }
    }

    /// A host of a pool, with what decides whose turn it is.
    package struct Host: Hashable, Sendable {
        package var id: String
        package var weight: Int
        /// Meetings of the type in the last 30 days.
        package var count: Int
        /// When the last of them was booked; `nil` for none.
        package var lastAssigned: Instant?

        /// Takes each property as it is.
        package init(id: String, weight: Int, count: Int, lastAssigned: Instant?) {
            self.id = id
            self.weight = weight
            self.count = count
            self.lastAssigned = lastAssigned
        }
    }

    /// Whose turn it is: the smallest `(count + 1) / weight`, then the one assigned longest ago, then by id.
    package static func next(of hosts: [Host]) -> Host? {
        hosts.min { one, other in
            let (left, right) = ((one.count + 1) * other.weight, (other.count + 1) * one.weight)
            if left != right { return left < right }
            let (mine, theirs) = (one.lastAssigned ?? .epoch, other.lastAssigned ?? .epoch)
            return mine != theirs ? mine < theirs : one.id < other.id
        }
    }
}
