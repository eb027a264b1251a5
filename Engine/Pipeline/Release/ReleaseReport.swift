import UsherCore
import UsherStore

/// What would leave a held installation, what is past, and what providers have and the database has not.
package struct ReleaseReport: Sendable {
    /// A booking in a line.
    package struct BookingLine: Sendable, Hashable {
        /// `bk_…`
        package var id: String
        /// Of the meeting.
        package var title: String
        /// When it begins.
        package var start: Instant
    }
    /// A mail in a line.
    package struct MailLine: Sendable {
        /// The address.
        package var to: String
        /// What it is for.
        package var kind: String
        /// What it is about.
        package var booking: BookingLine
        /// It was waiting when the backup was made, and may have left since.
        package var mayHaveLeft: Bool
    }
    /// A room at a provider.
    package struct RoomLine: Sendable {
        /// Its name in the catalogue.
        package var provider: String
        /// The account that hosts.
        package var host: String
        /// The provider's own id.
        package var roomID: String
    }

    /// As it is now.
    package var installation: Installation
    /// Bookings to come that have no room yet: it is looked for at the provider, and made where there is none.
    package var rooms: [BookingLine] = []
    /// Mails that wait.
    package var mails: [MailLine] = []
    /// Bookings that are over, and had work left: nothing is made for them any more.
    package var past: [BookingLine] = []
    /// Events for webhooks; each bears the id that it always had, so that its receiver knows it again.
    package var events: Int64 = 0
    /// Other work that is due, by kind: letters to owners, forms' mails, calendars, removals of rooms.
    package var others: [String: Int64] = [:]
    /// Whether it must be said what becomes of mails that may have left.
    package var hasOldMail: Bool { mails.contains(where: \.mayHaveLeft) }
    /// Rooms that bear this installation's mark, and that the database does not know. They are left alone.
    package var unknownRooms: [RoomLine] = []
    /// Bookings whose room the provider has no more. It is not made again unless somebody asks.
    package var goneRooms: [BookingLine] = []
    /// Where nobody could look, and why.
    package var notes: [String] = []

    private static let limit = 1_000
    /// So long providers are looked through, all together.
    private static let patience = Duration.seconds(20)

    /// Looks; nothing is changed anywhere.
    package init(_ context: EngineContext) async throws {
        let now = context.now
        let (installation, rooms, mails, events, live, hosts, waiting) = try await context.store.read { tx in
            let ids = Set(
                try [.provision, .planMail].flatMap { try tx.subjects(of: $0, limit: Self.limit) })
            let bookings = try ids.sorted().compactMap { try tx.booking($0) }
            let written = try tx.waitingMails(limit: Self.limit).compactMap { mail in
                try tx.booking(mail.bookingID).map { ($0, mail.reader, mail.kind, mail.writtenAt) }
            }
            let planned = try bookings.flatMap { booking in
                MailPlan.owed(booking, try tx.mails(of: booking.id)).map { (booking, $0.reader, $0.kind, booking.changedAt) }
            }
            return (
                try tx.presentInstallation(), bookings, written + planned, try tx.waitingEvents(), try tx.liveRooms(now: now),
                try tx.owners().filter(\.isActive).map(\.owner), try tx.waitingJobs(now: now)
            )
        }
        self.installation = installation
        self.events = events
        self.rooms = rooms.filter { $0.wantsRoom && $0.meeting.room == nil && now < $0.end }.map(BookingLine.init)
        let shown: Set<String> = [Job.Kind.planMail, .deliver, .deliverWebhook, .prune].reduce(into: []) { $0.insert($1.rawValue) }
        others = Dictionary(uniqueKeysWithValues: waiting.filter { !shown.contains($0.kind) }.map { ($0.kind, $0.count) })
        // Those without a room are listed; the rest looks after rooms, or takes them away.
        let looks = others[Job.Kind.provision.rawValue, default: 0] - Int64(self.rooms.count)
        others[Job.Kind.provision.rawValue] = looks > 0 ? looks : nil
        self.mails = mails.map { booking, reader, kind, written in
            MailLine(
                to: booking.address(of: reader), kind: kind.rawValue, booking: BookingLine(booking),
                mayHaveLeft: written < installation.restoredAt)
        }
        past = Set((rooms + mails.map(\.0)).filter { $0.end <= now }.map(BookingLine.init)).sorted { $0.start < $1.start }
        try await look(context.lookingWhileHeld, live, hosts)
    }

    /// Looks through the accounts that belong to the site. Those of owners are left alone: using their grants could end the original's.
    private mutating func look(_ context: EngineContext, _ live: [LiveRoom], _ owners: [Owner]) async throws {
        let resolver = ProviderResolver(context)
        let deadline = context.now + Self.patience
        for entry in context.catalog.current.providers {
            guard let descriptor = context.registry.descriptor(entry.module) else { continue }
            if descriptor.connection == .owner {
                notes.append("\(entry.name): not looked through, because it belongs to owners' own accounts.")
                continue
            }
            guard descriptor.capabilities.contains(.host) else { continue }
            let standing = live.filter { $0.provider == entry.name }
            let hosts = Set(standing.map(\.host) + owners.map { $0.hosts[entry.name] ?? $0.email }).sorted()
            for host in hosts {
                guard context.now < deadline else {
                    notes.append("\(entry.name), \(host): not looked through, because the time for it was up.")
                    continue
                }
                do throws(ProviderError) {
                    let (module, call) = try resolver.call(entry.name, deadline: deadline)
                    let found = try await module.find(nil, host: host, call)
                    try await compare(found, standing.filter { $0.host == host }, entry.name, host, context)
                } catch { notes.append("\(entry.name), \(host): \(error.message)") }
            }
        }
    }

    private mutating func compare(
        _ found: [FoundRoom], _ standing: [LiveRoom], _ provider: String, _ host: String, _ context: EngineContext
    ) async throws(ProviderError) {
        let (unknown, lost): ([FoundRoom], [Booking])
        do {
            let now = context.now
            (unknown, lost) = try await context.store.read { [found, standing] tx in
                let gone = standing.filter { room in !found.contains { $0.id == room.roomID } }
                return (try UnknownRooms.among(found, tx, now: now), try gone.compactMap { try tx.booking($0.bookingID) })
            }
        } catch {
            throw ProviderError(.unavailable, retry: .never, "The database could not be read: \(error)", remedy: "Look at it.")
        }
        unknownRooms += unknown.map { RoomLine(provider: provider, host: host, roomID: $0.id) }
        goneRooms += lost.map(BookingLine.init)
    }
}

extension ReleaseReport.BookingLine {
    init(_ booking: Booking) { self.init(id: booking.id, title: booking.title, start: booking.start) }
}
