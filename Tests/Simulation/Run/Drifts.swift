/// Bookings whose rooms were changed at the provider behind the engine's back, until it has been told.
struct Drifts {
    private var open: [String: Int] = [:]
    private var count = 0

    var bookings: Set<String> { Set(open.keys) }

    /// - Returns: for ``end(_:of:)``.
    mutating func add(_ booking: String) -> Int {
        count += 1
        open[booking] = count
        return count
    }

    /// Ends a drift, unless another has followed it.
    mutating func end(_ drift: Int, of booking: String) {
        if open[booking] == drift { open[booking] = nil }
    }
}
