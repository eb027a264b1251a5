import UsherCore

extension Attendee {
    /// Whom nobody can find any more, so that what was booked can still be counted.
    func erased() -> Attendee { Attendee(name: "", email: Self.erasedAddress, timeZone: timeZone, language: language) }
    /// An address that leads nowhere (RFC 2606).
    static let erasedAddress = "erased@erased.invalid"
}

extension Tx {
    /// The bookings that somebody attends, the earliest first.
    package func bookings(attendedBy mail: String) throws -> [Booking] {
        // As JSON writes it, and as LIKE reads it.
        let written = mail.replacing("/", with: "\\/")
        let pattern = ["\\", "%", "_"].reduce(written) { $0.replacing($1, with: "\\" + $1) }
        return try query(PersonSQL.bookings, .text("%\"" + pattern + "\"%")).compactMap { row in
            try booking(try row.text(0)).flatMap { booking in
                booking.attendees.contains { $0.email.lowercased() == mail } ? booking : nil
            }
        }
    }

    /// Bookings of an owner.
    package func bookings(ofOwner id: String) throws -> [Booking] {
        try query(PersonSQL.bookingsOfOwner, .text(id)).compactMap { try booking(try $0.text(0)) }
    }

    /// All that the tables hold about one booking, owner or address, by table: columns and values, what is sealed left out.
    package func stored(about person: PersonKey) throws -> [(table: String, rows: [[(String, SQLValue)]])] {
        try PersonalTable.all.compactMap { table in
            guard table.name != "bookings", let (columns, sql, value) = table.select(person) else { return nil }
            let rows = try session.query(sql, [.text(value)]).map { row in
                zip(columns, row.values(0..<row.count)).map { ($0, PersonalTable.sealed.contains($0) ? .text("(sealed)") : $1) }
            }
            return rows.isEmpty ? nil : (table.name, rows)
        }
    }

    /// Blanks attendees of a booking, and what else was stored about it that could tell who they are.
    /// - Parameters:
    ///   - indices: of those who are blanked.
    ///   - wholly: what whoever booked has written, and the links of all, too.
    ///   - linkSecret: a new one, sealed.
    /// - Returns: rows that were changed or deleted, by table.
    package func erase(_ booking: Booking, _ indices: Set<Int>, wholly: Bool, linkSecret: String, now: Instant) throws -> [String: Int] {
        let attendees = booking.attendees.enumerated().map { indices.contains($0.offset) ? $0.element.erased() : $0.element }
        let text = SQLValue.text(try Stored.text(attendees))
        if wholly {
            // Whoever came along is left to retention, which looks at bookings that are not erased as a whole.
            let isWhole = attendees.allSatisfy { $0.email == Attendee.erasedAddress }
            try execute(PersonSQL.eraseBooking, text, .text(linkSecret), SQLValue(isWhole ? now : .epoch), .text(booking.id))
            // Before the holds go, under whose ids some of it stands.
            try execute(PersonSQL.eraseGuestAddresses, .text(booking.id))
        } else {
            try execute(PersonSQL.eraseAttendees, text, SQLValue(now), .text(booking.id))
        }
        seen.bookings[booking.id] = nil
        var counts = wholly ? try erase(.booking(booking.id)) : try eraseReaders(of: booking, indices)
        counts["bookings"] = 1
        return counts
    }

    /// What concerns some attendees of a booking alone; what others did and wrote stays.
    private func eraseReaders(of booking: Booking, _ indices: Set<Int>) throws -> [String: Int] {
        var counts: [String: Int] = [:]
        for index in indices.sorted() {
            counts["outbox", default: 0] += try execute(PersonSQL.eraseOneReader, .text(booking.id), .text(Reader.attendee(index).text))
            counts["notices", default: 0] += try execute(
                PersonSQL.eraseNoticesOfReader, .text(booking.id), .text(Reader.attendee(index).text))
            counts["audit", default: 0] += try execute(PersonSQL.eraseOneAddress, .text(booking.id), .text("guest:\(index)"))
        }
        counts["timeline"] = try execute(PersonSQL.eraseAddresses, .text(booking.id))
        counts["deliveries"] = try execute(PersonSQL.eraseEventsOf, .text(booking.id))
        return counts.filter { $0.value > 0 }
    }

    /// Whether something about the booking is still on its way: work that is to be done, a mail, an event, a room that is to go.
    package func isUnderWay(_ booking: Booking) throws -> Bool { try underWay(booking.id) > 0 }

    /// Of how many bookings of an owner something is still on its way.
    package func underWay(ofOwner id: String) throws -> Int { try underWay(id) }

    /// How many grants of an owner are still to be ended at their services.
    package func grantsUnderWay(ofOwner id: String) throws -> Int {
        try writePending()
        return Int(try query(PersonSQL.revocationsUnderWay, .text(id))[0].int(0))
    }

    private func underWay(_ id: String) throws -> Int {
        try writePending()
        return Int(try query(PersonSQL.underWay, .text(id))[0].int(0))
    }

    /// Deletes or blanks what the tables hold about one booking, owner or address.
    package func erase(_ person: PersonKey) throws -> [String: Int] {
        var counts: [String: Int] = [:]
        for table in PersonalTable.all {
            guard let (sql, value) = table.erase(person) else { continue }
            let count = try session.execute(sql, [.text(value)])
            if count > 0 { counts[table.name] = count }
        }
        if case .address(let mail) = person {
            let count = try execute(PersonSQL.eraseAdmin, .text(mail))
            if count > 0 { counts["audit", default: 0] += count }
        }
        return counts
    }

    /// Blanks a former owner, wherever their name and address lie.
    package func eraseOwner(_ id: String) throws -> [String: Int] {
        var counts = try erase(.owner(id))
        counts["owners"] = try execute(PersonSQL.eraseOwner, .text("Former owner"), .text(Attendee.erasedAddress), .text(id))
        for statement in [
            PersonSQL.eraseNotices, .eraseEvents, .eraseDetails, .eraseAnswers, .eraseHosts, .eraseOwnersAddresses, .eraseRevocations,
            .eraseCalendarAccounts,
        ] {
            try execute(statement, .text(id))
        }
        for row in try query(PersonSQL.terms) {
            guard var terms = try? Stored.value(Terms.self, row.text(1)), terms.owner.id == id,
                terms.owner.email != Attendee.erasedAddress
            else { continue }
            (terms.owner.name, terms.owner.email, terms.owner.hosts) = ("Former owner", Attendee.erasedAddress, [:])
            // Under another id, so that no process goes on with what it remembers.
            let id = try row.text(0)
            try execute(BookingSQL.addTerms, .text(id + "-"), .text(try Stored.text(terms)))
            try execute(PersonSQL.moveToTerms, .text(id + "-"), .text(id))
            counts["terms", default: 0] += try execute(PersonSQL.removeTerms, .text(id))
        }
        return counts
    }

    /// Bookings that ended before `time` and whose guests are not blanked yet.
    /// - Parameter from: the start of the last one that was looked at.
    package func endedBookings(before time: Instant, from: Instant, limit: Int) throws -> [Booking] {
        try query(PersonSQL.ended, SQLValue(from), SQLValue(time), .int(Int64(limit))).compactMap { try booking(try $0.text(0)) }
    }

    /// Deletes what is older than its retention says, as much of it as one transaction should.
    /// - Returns: whether there may be more.
    package func prune(audit: Instant?, mailTexts: Instant?, forms: Instant, repeats: Instant, limit: Int) throws -> Bool {
        var most = 0
        if let audit { most = try execute(PersonSQL.forgetAudit, SQLValue(audit), .int(Int64(limit))) }
        if let mailTexts {
            most = max(most, try execute(PersonSQL.forgetMailTexts, SQLValue(mailTexts), .int(Int64(limit))))
            try execute(PersonSQL.forgetNotices, SQLValue(mailTexts))
        }
        try execute(PersonSQL.forgetForms, SQLValue(forms))
        try execute(PersonSQL.forgetRepeats, SQLValue(repeats))
        return most == limit
    }

    /// Forgets what a service said of the rooms of meetings that are over, at one of its accounts.
    package func forgetEndedRooms(module: String, host: String, now: Instant) throws {
        for row in try query(PersonSQL.endedRooms, .text(module), .text(host), SQLValue(now)) {
            let id = try row.text(0)
            guard try booking(id) != nil else { continue }
            try execute(PersonSQL.forgetRoom, .text(id), .text(module))
            try execute(PersonSQL.forgetWayIn, .text(id), .text(module))
            (seen.bookings[id], seen.rooms[id]) = (nil, nil)
        }
    }
}
