/// Numbers by which processes agree on locks that belong to no row.
/// Source: https://www.postgresql.org/docs/15/explicit-locking.html#ADVISORY-LOCKS
enum AdvisoryLock {
    /// The number that stands for a name: FNV-1a of 64 bits.
    /// Source: https://datatracker.ietf.org/doc/html/draft-eastlake-fnv
    static func key(_ name: String) -> Int64 {
        let hash = "usher \(name)".utf8.reduce(UInt64(0xcbf2_9ce4_8422_2325)) { ($0 ^ UInt64($1)) &* 0x100_0000_01b3 }
        return Int64(bitPattern: hash)
    }
}
