import ArgumentParser
import UsherAssembly
import UsherCore
import UsherPipeline

struct RoomsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "rooms", abstract: "List rooms at providers that are this installation's by their mark, and that no booking has.",
        discussion: """
            Commits that a failover to an asynchronous standby or a restore lost leave such rooms behind. Guests may still hold their links,
            so they stay until somebody removes them here. Do that on the database that is in force: what no booking of an old primary or of
            a copy has are living rooms. (`usher hold`, then `usher release --copy`, makes a copy an installation of its own.)
            """)
    @OptionGroup var options: Options
    @Option(parsing: .upToNextOption, help: "Remove the rooms with these ids.") var remove: [String] = []
    @Flag(help: "Remove all that are listed.") var removeAll = false
    @Flag(help: "Remove all without asking.") var yes = false
    @Flag(help: "Remove although no server is at work on this database.") var withoutServer = false

    private struct Failure {
        var room: UnknownRooms.Line
        var error: UsherError
    }

    func validate() throws {
        guard remove.isEmpty || !removeAll else { throw ValidationError("Say --remove or --remove-all, not both.") }
    }

    func run() async throws {
        let database = try options.configuration().database
        guard database.exists else { throw UsherError(.configuration, "There is no database at \(database.name).") }
        try await options.withRuntime { runtime in
            let unknown = UnknownRooms(runtime.context)
            var report = try await unknown.look()
            for note in report.notes { Output.diagnostic("note: \(note)") }
            let unwanted = try removeAll ? report.rooms : Set(remove).sorted().map { try listed($0, report) }
            if !unwanted.isEmpty { try await allow(unwanted, runtime) }
            var failures: [Failure] = []
            for room in unwanted {
                do {
                    try await unknown.remove(room)
                    report.rooms.removeAll { $0 == room }
                    if !options.json { print("\(room.id) is removed at \(room.place.provider).") }
                } catch let error as UsherError { failures.append(Failure(room: room, error: error)) }
            }
            let left = Set(report.rooms)
            if options.json {
                Output.json(json(report, removed: unwanted.filter { !left.contains($0) }, failures))
            } else {
                for failure in failures { Output.problem(failure.error) }
                show(report)
            }
            guard failures.isEmpty, report.isWhole else { throw Exit.provider }
        }
    }

    /// Nobody removes living rooms by a slip.
    private func allow(_ rooms: [UnknownRooms.Line], _ runtime: Runtime) async throws {
        let servers = try await runtime.context.store.livingServers(now: runtime.context.now)
        guard withoutServer || !servers.isEmpty else {
            throw UsherError(
                .validationFailed,
                "No server is at work on this database, so it may be an old primary or a copy, and these rooms other bookings'. Start `usher serve`, or say --without-server."
            )
        }
        guard removeAll, !yes else { return }
        if !options.json { table(rooms) }
        guard options.confirms("Remove \(rooms.count == 1 ? "it" : "them")?", else: "Nothing was removed: --yes does it.") else {
            throw Exit.refused
        }
    }

    private func listed(_ id: String, _ report: UnknownRooms.Report) throws(UsherError) -> UnknownRooms.Line {
        guard let room = report.rooms.first(where: { $0.id == id }) else {
            throw UsherError(
                .notFound,
                report.isWhole
                    ? "No room \(id) is at a provider under this installation's mark and without a booking: `usher rooms` lists those."
                    : "No room \(id) was found where anybody could look; the notes say where nobody could.")
        }
        return room
    }

    private func show(_ report: UnknownRooms.Report) {
        guard report.rooms.isEmpty else { return table(report.rooms) }
        print(
            report.notes.isEmpty
                ? "Every room that carries this installation's mark is a booking's."
                : "Where anybody could look, every room that carries this installation's mark is a booking's.")
    }

    private func table(_ rooms: [UnknownRooms.Line]) {
        Output.table(
            [["ID", "PROVIDER", "ACCOUNT", "BEGINS"]]
                + rooms.map { [$0.id, $0.place.provider, $0.place.host.isEmpty ? "-" : $0.place.host, $0.start?.rfc3339 ?? "-"] },
            hasHeader: true)
    }

    private func json(_ report: UnknownRooms.Report, removed: [UnknownRooms.Line], _ failures: [Failure]) -> JSON {
        [
            "removed": .array(removed.map(\.json)),
            "failed": .array(failures.map { ["id": .string($0.room.id), "problem": .string($0.error.message)] }),
            "rooms": .array(report.rooms.map(\.json)), "notes": .array(report.notes.map(JSON.string)), "complete": .bool(report.isWhole),
        ]
    }
}

extension UnknownRooms.Line {
    var json: JSON {
        [
            "id": .string(id), "provider": .string(place.provider), "owner": place.owner.map(JSON.string) ?? .null,
            "host": .string(place.host), "key": .string(key), "start": start.map { .string($0.rfc3339) } ?? .null,
        ]
    }
}
