import UsherCore

/// Days on which an owner hosts nobody.
package struct StoredTimeOff: Hashable, Sendable {
    /// `off_…`
    package var id: String
    /// Whose they are.
    package var ownerID: String
    /// The first day.
    package var first: CalendarDate
    /// The last day, included.
    package var last: CalendarDate

    /// Takes each property as it is.
    package init(id: String, ownerID: String, first: CalendarDate, last: CalendarDate) {
        self.id = id
        self.ownerID = ownerID
        self.first = first
        self.last = last
    }
}

extension StoredTimeOff: JSONObject {
    /// As generated clients know it.
    package static let schemaName = "TimeOff"
    /// Dates of the owner's zone.
    package static let fields: [JSONField<StoredTimeOff>] = [
        .init("id", "To take it back.") { $0.id }, .init("from", "The first day.") { $0.first.text },
        .init("to", "The last day, included.") { $0.last.text },
    ]
}

/// Statements on owners' days off.
enum TimeOffSQL: String, SQLStatement {
    case add = "INSERT INTO time_off (id, owner_id, first_day, last_day) VALUES ($1, $2, $3, $4)"
    case ofOwner = "SELECT id, first_day, last_day FROM time_off WHERE owner_id = $1 AND last_day >= $2 ORDER BY first_day, id"
    case remove = "DELETE FROM time_off WHERE id = $1 AND owner_id = $2"
    case removeOfOwner = "DELETE FROM time_off WHERE owner_id = $1"
}

extension Tx {
    /// Adds days off.
    package func add(_ off: StoredTimeOff) throws {
        try write(TimeOffSQL.add, .text(off.id), .text(off.ownerID), .int(off.first.day), .int(off.last.day))
    }
    /// Those that end on a day or later, in order.
    package func timeOff(of owner: String, from day: CalendarDate) throws -> [StoredTimeOff] {
        try query(TimeOffSQL.ofOwner, .text(owner), .int(day.day)).map {
            StoredTimeOff(
                id: try $0.text(0), ownerID: owner, first: CalendarDate(day: try $0.int(1)), last: CalendarDate(day: try $0.int(2)))
        }
    }
    /// - Returns: whether the owner had them.
    package func removeTimeOff(_ id: String, owner: String) throws -> Bool {
        try execute(TimeOffSQL.remove, .text(id), .text(owner)) == 1
    }
    /// Forgets an owner's days off.
    package func removeTimeOff(of owner: String) throws { try write(TimeOffSQL.removeOfOwner, .text(owner)) }
}
