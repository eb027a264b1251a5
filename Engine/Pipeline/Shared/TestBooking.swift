import UsherCore

extension Booking {
    /// The meeting type of test meetings: no file can hold it, because its id begins with what ids may not.
    static let testTypeID = "_test"

    /// Whether it was booked as a test; what only says so of itself is none.
    var isTest: Bool { terms.type.id == Self.testTypeID }
}
