import ArgumentParser
import UsherAssembly
import UsherCore
import UsherPipeline

struct RoomsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "rooms", abstract: "List rooms at providers that are this installation's by their mark, and that no booking has.",
        discussion: """
            Commits that a failover to an asynchronous standby or a restore lost leave such rooms behind. Guests may still hold their links,
            so they stay until somebody removes them here. Do not do so in a copy of another installation's PostgreSQL: what no booking of
            the copy has are the original's rooms. (`usher hold`, then `usher release --copy`, makes a copy an installation of its own.)
            """)
    @OptionGroup var options: Options
    @Option(parsing: .upToNextOption, help: "Remove the rooms with these ids.") var remove: [String] = []
    @Flag(help: "Remove all that are listed.") var removeAll = false

    func run() async throws {
        try await options.withRuntime(adopting: false) { runtime in
            let unknown = UnknownRooms(runtime.context)
            let (rooms, notes) = try await unknown.look()
            let unwanted = removeAll ? rooms : try remove.map { try listed($0, rooms) }
            for note in notes { Output.diagnostic("note: \(note)") }
            for room in unwanted {
                try await unknown.remove(room)
                if !options.json { print("\(room.id) is removed at \(room.provider).") }
            }
            let left = rooms.filter { !unwanted.contains($0) }
            if options.json {
                return Output.json([
                    "removed": .array(unwanted.map(\.json)), "rooms": .array(left.map(\.json)), "notes": .array(notes.map(JSON.string)),
                ])
            }
            show(left)
        }
    }

    private func listed(_ id: String, _ rooms: [UnknownRooms.Line]) throws(UsherError) -> UnknownRooms.Line {
        guard let room = rooms.first(where: { $0.id == id }) else {
            throw UsherError(
                .notFound, "No room \(id) is at a provider under this installation's mark and without a booking: `usher rooms` lists those."
            )
        }
        return room
    }

    private func show(_ rooms: [UnknownRooms.Line]) {
        guard !rooms.isEmpty else { return print("Every room that carries this installation's mark is a booking's.") }
        Output.table(
            [["ID", "PROVIDER", "ACCOUNT", "BEGINS"]] + rooms.map { [$0.id, $0.provider, $0.host, $0.start?.rfc3339 ?? "-"] },
            hasHeader: true)
    }
}

extension UnknownRooms.Line {
    var json: JSON {
        [
            "id": .string(id), "provider": .string(provider), "owner": owner.map(JSON.string) ?? .null, "host": .string(host),
            "key": .string(key), "start": start.map { .string($0.rfc3339) } ?? .null,
        ]
    }
}
