import UsherCore

/// Statements on what all servers together have let through.
enum RateSQL: String, SQLStatement {
    case one = "SELECT left_milli, at FROM rate_limits WHERE name = $1 AND key = $2"
    case set = """
        INSERT INTO rate_limits (name, key, left_milli, at) VALUES ($1, $2, $3, $4)
        ON CONFLICT (name, key) DO UPDATE SET left_milli = excluded.left_milli, at = excluded.at
        """
    case remove = "DELETE FROM rate_limits WHERE at < $1"
}

extension Tx {
    /// What is left of a limit's bucket, as it was at a time; `nil` for a full one. Whoever else asks waits until this transaction ends.
    package func rate(_ name: String, _ key: String) throws -> (left: Double, at: Instant)? {
        try session.lock(name: "rate \(name) \(key)")
        return try query(RateSQL.one, .text(name), .text(key)).first.map { (Double(try $0.int(0)) / 1_000, try $0.instant(1)) }
    }
    /// Writes down what is left of a limit's bucket, to a thousandth of a call.
    package func setRate(_ name: String, _ key: String, left: Double, at: Instant) throws {
        try write(RateSQL.set, .text(name), .text(key), .int(Int64((left * 1_000).rounded(.down))), SQLValue(at))
    }
    /// Forgets buckets that nobody has taken from since a time.
    package func removeRates(before time: Instant) throws { try write(RateSQL.remove, SQLValue(time)) }
}
