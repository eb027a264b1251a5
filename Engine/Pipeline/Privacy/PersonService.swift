import UsherCore
import UsherStore
import UsherVault

/// What is stored about one person, and its erasure (GDPR art. 15, 17 and 20).
package struct PersonService: Sendable {
    private let context: EngineContext

    /// On the database of a context.
    package init(_ context: EngineContext) { self.context = context }

    /// What an erasure did, or would do.
    package struct Erasure: Sendable {
        /// Rows that are blanked or deleted, by table.
        package var rows: [String: Int] = [:]
        /// What stays, and why, in sentences.
        package var remains: [String] = []
        /// Whether it was done.
        package var isDone: Bool
    }

    private struct Found: Sendable {
        var bookings: [Booking]
        var owners: [StoredOwner]
    }

    /// - Returns: by table; what is sealed is named, and not shown.
    package func export(_ mail: String) async throws -> JSON {
        let mail = try address(mail)
        try await context.store.write { [context] in try context.audit("person.export", "person", $0) }
        return try await context.store.read { [context] tx in
            let found = try find(mail, tx)
            var parts: [JSON.Member] = [
                .init("address", .string(mail)), .init("at", .string(context.now.rfc3339)),
                .init("bookings", .array(found.bookings.map { exported($0, mail) })),
            ]
            let keys =
                [PersonKey.address(mail), .mailbox(Self.mailbox(mail))] + found.bookings.map { .booking($0.id) }
                + found.owners.map { .owner($0.owner.id) }
            var tables: [String: [JSON]] = [:]
            for key in keys {
                let booking = if case .booking(let id) = key { found.bookings.first { $0.id == id } } else { Booking?.none }
                for (table, rows) in try tx.stored(about: key) {
                    tables[table, default: []] += rows.filter { row in booking.map { isOwn(row, table, $0, mail) } ?? true }.map { row in
                        .object(row.map { JSON.Member($0.0, $0.1.json) })
                    }
                }
            }
            for (table, rows) in tables.sorted(by: { $0.key < $1.key }) where !rows.isEmpty { parts.append(.init(table, .array(rows))) }
            return .object(parts)
        }
    }

    /// Whether a row about a booking concerns this attendee, and not the others or the owner.
    private func isOwn(_ row: [(String, SQLValue)], _ table: String, _ booking: Booking, _ mail: String) -> Bool {
        let indices = booking.attendees.indices.filter { booking.attendees[$0].email.lowercased() == mail }
        func column(_ name: String) -> String {
            if case .text(let text)? = row.first(where: { $0.0 == name })?.1 { text } else { "" }
        }
        switch table {
        case "outbox", "links": return indices.contains { Reader.attendee($0).text == column("reader") }
        case "audit":
            return indices.contains { "guest:\($0)" == column("actor") || ($0 == 0 && column("actor").hasPrefix("visitor:")) }
        // These name the owner's accounts.
        case "rooms", "calendar_events": return false
        // Details may quote others.
        case "timeline", "holds", "deliveries", "notices": return indices.contains(0)
        default: return true
        }
    }

    /// Without the other attendees: what concerns them is theirs.
    private func exported(_ booking: Booking, _ mail: String) -> JSON {
        let own = booking.attendees.filter { $0.email.lowercased() == mail }
        let isBooker = booking.attendees.first?.email.lowercased() == mail
        var members: [JSON.Member] = [
            .init("id", .string(booking.id)), .init("title", .string(booking.title)), .init("start", .string(booking.start.rfc3339)),
            .init("end", .string(booking.end.rfc3339)), .init("status", .string(booking.status.rawValue)),
            .init("owner", .string(booking.terms.owner.name)),
            .init(
                "attendee",
                .array(
                    own.map {
                        [
                            "name": .string($0.name), "email": .string($0.email), "timeZone": .string($0.timeZone),
                            "language": .string($0.language),
                        ]
                    })),
        ]
        if isBooker {
            members += [
                .init("note", .string(booking.details.note)),
                .init("metadata", .object(booking.details.metadata.map { JSON.Member($0.key, .string($0.value)) })),
                .init("source", .string(booking.details.source)),
                .init("answers", .object(booking.details.answers.map { JSON.Member($0.key, .string($0.value)) })),
            ]
        }
        return .object(members)
    }

    /// Erases what is stored about somebody, as far as it is not needed for meetings to come.
    /// - Parameter isDryRun: says what it would do, and does nothing.
    package func erase(_ mail: String, isDryRun: Bool) async throws -> Erasure {
        let mail = try address(mail)
        let result = try await context.store.write { [context] tx -> Erasure in
            let found = try find(mail, tx)
            var result = Erasure(isDone: !isDryRun)
            func add(_ counts: [String: Int]) { result.rows.merge(counts, uniquingKeysWith: +) }
            for booking in found.bookings {
                guard booking.end < context.now || booking.status == .cancelled, try !tx.isUnderWay(booking) else {
                    let isToCome = booking.end >= context.now && booking.status == .confirmed
                    result.remains.append(
                        !isToCome
                            ? "Of booking \(booking.id) a mail, an event or a room is still on its way: erase once more when it is done."
                            : "Booking \(booking.id) of \(booking.start.rfc3339) is still to come: cancel it, then erase once more.")
                    continue
                }
                add(try erase(booking, { $0.email.lowercased() == mail }, tx))
            }
            add(try tx.erase(.address(mail)))
            add(try tx.erase(.mailbox(Self.mailbox(mail))))
            try tx.removeAdminSessions(of: Identity.holder(mail))
            for owner in found.owners { try erase(owner, into: &result, tx) }
            result.remains += Self.elsewhere
            if isDryRun { throw DryRun(result: result) }
            try context.audit("person.erase", "person", tx)
            return result
        } onDryRun: {
            $0
        }
        return result
    }

    private func erase(_ owner: StoredOwner, into result: inout Erasure, _ tx: Tx) throws {
        let id = owner.owner.id
        guard !owner.isActive else {
            result.remains.append(
                owner.isInFile
                    ? "The owner '\(id)' stands in meeting-types.yaml: take them out there, then erase once more."
                    : "The owner '\(id)' is at work: remove them (DELETE /v1/owners/\(id)), then erase once more.")
            return
        }
        let toCome = try tx.bookings(ofOwner: id).filter { $0.status == .confirmed && $0.end >= context.now }
        guard toCome.isEmpty else {
            result.remains.append(
                "The former owner '\(id)' still hosts \(counted(toCome.count, "meeting")): cancel them, then erase once more.")
            return
        }
        let underWay = try tx.underWay(ofOwner: id)
        guard underWay == 0 else {
            result.remains.append(
                "Of \(counted(underWay, "meeting")) of the former owner '\(id)' a mail, an event or a room is still on its way: erase once more when it is done."
            )
            return
        }
        let grants = try tx.grantsUnderWay(ofOwner: id)
        guard grants == 0 else {
            result.remains.append(
                "\(counted(grants, "grant")) of the former owner '\(id)' \(grants == 1 ? "is" : "are") still being ended at the service: erase once more when that is done, a day at most."
            )
            return
        }
        result.rows.merge(try tx.eraseOwner(id), uniquingKeysWith: +)
        result.remains.append("The audit goes on to name the owner's id '\(id)', which is a pseudonym now.")
    }

    /// Blanks some attendees of a booking; what was written with it goes with whoever booked, or with the last of them.
    func erase(_ booking: Booking, _ isErased: (Attendee) -> Bool, _ tx: Tx) throws -> [String: Int] {
        let indices = Set(booking.attendees.indices.filter { isErased(booking.attendees[$0]) })
        let wholly = indices.contains(0) || indices.count == booking.attendees.count
        return try tx.erase(
            booking, indices, wholly: wholly, linkSecret: try Links(context).newSecret(of: booking.id), now: context.now)
    }

    private func find(_ mail: String, _ tx: Tx) throws -> Found {
        Found(
            bookings: try tx.bookings(attendedBy: mail), owners: try tx.owners().filter { $0.owner.email.lowercased() == mail })
    }

    /// As forms of booking pages are counted by.
    private static func mailbox(_ mail: String) -> String { Vault.hash(PageForm.mailbox(of: mail).utf8) }

    private func address(_ mail: String) throws(UsherError) -> String {
        guard let address = asciiMailAddress(mail.trimmingBlanks) else {
            throw UsherError(.validationFailed, "'\(mail.prefix(80))' is not a mail address.")
        }
        return address.lowercased()
    }

    private static let elsewhere = [
        "Backups made before now still hold what is erased here: they go as old as you keep them.",
        "Mails that were sent lie with their readers and with the mail system, or in USHER_MAILDIR.",
        "The server's log bears no names and addresses of guests, but network addresses may stand in a proxy's.",
        "Rooms and calendar entries of past meetings lie at their providers, with what was written into them.",
        "Programs that were told by webhook keep what they were told.",
    ]
}

/// Takes a transaction back, and brings its result out.
private struct DryRun: Error {
    var result: PersonService.Erasure
}

extension Store {
    /// A transaction that may turn out to be one for show.
    fileprivate func write(
        _ body: @escaping @Sendable (Tx) throws -> PersonService.Erasure, onDryRun: (PersonService.Erasure) -> PersonService.Erasure
    ) async throws -> PersonService.Erasure {
        do { return try await write(body) } catch let dry as DryRun { return onDryRun(dry.result) }
    }
}

extension PersonService.Erasure: JSONObject {
    /// As generated clients know it.
    package static let schemaName = "PersonErasure"
    /// What went, what stays, and whether it was done.
    package static let fields: [JSONField<PersonService.Erasure>] = [
        .init("done", "Whether it was done; else this is what would be.") { $0.isDone },
        .init("erased", "Rows that are blanked or deleted.") { erasure in
            erasure.rows.sorted { $0.key < $1.key }.map { ErasedRows(table: $0.key, rows: Int64($0.value)) }
        },
        .init("remains", "What stays, and why, in sentences.") { $0.remains },
    ]
}

/// How much of a table is erased.
struct ErasedRows: JSONObject {
    var table: String
    var rows: Int64

    static let schemaName = "ErasedRows"
    static let fields: [JSONField<ErasedRows>] = [
        .init("table", "Of the database.") { $0.table }, .init("rows", "How many of its rows were erased or blotted out.") { $0.rows },
    ]
}

extension SQLValue {
    var json: JSON {
        switch self {
        case .null: .null
        case .int(let value): .int(value)
        case .text(let value): .string(value)
        }
    }
}
