import ArgumentParser
import Foundation
import UsherAssembly
import UsherCore
import UsherPipeline
import UsherStore

struct ReleaseCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "release", abstract: "Show what a restored or copied installation would do, and let it go on.",
        discussion: """
            Without --yes it shows and asks, at a terminal; elsewhere it only shows. Where mails were waiting when the backup was made,
            they may have left since: say with --old-mail whether they are sent, or count as sent. With --copy the installation becomes
            another one, for trying things out: it leaves the original's rooms alone, and loses its connections, calendars and webhooks.
            """)
    @OptionGroup var options: Options
    @Flag(help: "Do it.") var yes = false
    @Flag(help: "It is a copy beside the original, which goes on.") var copy = false
    @Option(name: .customLong("old-mail"), help: "send, or drop: they count as sent.") var oldMail: Release.OldMail?

    func run() async throws {
        let database = try options.configuration().database
        guard database.exists else { throw UsherError(.configuration, "There is no database at \(database.name).") }
        try await options.withRuntime(adopting: false, warning: false) { runtime in
            let report = try await ReleaseReport(runtime.context)
            guard report.installation.hold != nil else {
                throw UsherError(.validationFailed, "Nothing is held: work goes on already.")
            }
            if options.json, !yes { Output.json(report.json) } else if !options.json { show(report) }
            let isConfirmed =
                yes
                || options.confirms(
                    "Let it go on\(copy ? ", as a copy" : "")?", else: "Nothing was released: `usher release --yes` does it.")
            guard isConfirmed else { throw Exit.refused }
            if !copy, oldMail == nil, report.hasOldMail {
                throw UsherError(
                    .validationFailed,
                    "\(counted(report.mails.count(where: \.mayHaveLeft), "mail")) may have left already: say --old-mail send, or --old-mail drop."
                )
            }
            try await Release(runtime.context).run(as: copy ? .copy : .original(oldMail ?? .send))
            if options.json { Output.json(["released": .bool(true)]) } else { print("Released: running servers go on within seconds.") }
        }
    }

    private func show(_ report: ReleaseReport) {
        let cause = report.installation.hold == .restored ? "It was restored" : "It was copied or moved"
        print("\(cause) at \(report.installation.restoredAt.rfc3339), and nothing leaves. Once it is released:")
        section("rooms would be looked for, and made where there is none", report.rooms.map(\.text))
        section(
            "mails would leave",
            report.mails.map { "\($0.kind) to \($0.to): \($0.booking.text)\($0.mayHaveLeft ? " (may have left already)" : "")" })
        let others = report.others.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value)" }
        if !others.isEmpty { print("\nother work is due, by kind: \(others.joined(separator: ", "))") }
        if report.events > 0 { print("\n\(report.events) events would go to webhooks, under the ids that they always had") }
        section("bookings are over, and nothing is made for them any more", report.past.map(\.text))
        section(
            "rooms are at providers and not here; they are left alone",
            report.unknownRooms.map { "\($0.provider) \($0.roomID), \($0.host)" })
        section("bookings have a room that is gone at the provider; none is made unless you retry", report.goneRooms.map(\.text))
        if report.isEmpty { print("\n  nothing waits") }
        if copy { print("\nAs a copy it drops all of that work. Set another SMTP_URL for it.") }
        for note in report.notes { print("\nnote: \(note)") }
    }

    private func section(_ title: String, _ lines: [String]) {
        guard !lines.isEmpty else { return }
        print("\n\(lines.count) \(title)")
        for line in lines.prefix(50) { print("  \(line)") }
        if lines.count > 50 { print("  … and \(lines.count - 50) more; --json lists all") }
    }
}

struct HoldCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "hold", abstract: "Hold an installation whose database was put back by other means than `usher restore`.",
        discussion: "Run it before the servers start: after a recovery of PostgreSQL to a point in time, say. `usher release` lets it go.")
    @OptionGroup var options: Options

    func run() async throws {
        let database = try options.configuration().database
        guard database.exists else { throw UsherError(.configuration, "There is no database at \(database.name).") }
        try await options.withRuntime(adopting: false) { try await Release($0.context).hold() }
        if options.json {
            Output.json(["held": .bool(true)])
        } else {
            print("Held: running servers stop within seconds. `usher release` shows what would leave, and lets it go.")
        }
    }
}

extension Release.OldMail: ExpressibleByArgument {}

extension ReleaseReport.BookingLine {
    var text: String { "\(id)  \(start.rfc3339)  \(title)" }
    var json: JSON { ["id": .string(id), "title": .string(title), "start": .string(start.rfc3339)] }
}

extension ReleaseReport {
    /// Whether nothing would be done.
    var isEmpty: Bool {
        rooms.isEmpty && mails.isEmpty && others.isEmpty && events == 0 && past.isEmpty && unknownRooms.isEmpty && goneRooms.isEmpty
    }

    var json: JSON {
        [
            "hold": installation.hold.map { .string($0.rawValue) } ?? .null, "since": .string(installation.restoredAt.rfc3339),
            "rooms": .array(rooms.map(\.json)),
            "mails": .array(
                mails.map {
                    ["to": .string($0.to), "kind": .string($0.kind), "booking": $0.booking.json, "mayHaveLeft": .bool($0.mayHaveLeft)]
                }),
            "others": .object(others.sorted { $0.key < $1.key }.map { JSON.Member($0.key, .int($0.value)) }),
            "events": .int(events), "past": .array(past.map(\.json)),
            "unknownRooms": .array(
                unknownRooms.map { ["provider": .string($0.provider), "host": .string($0.host), "id": .string($0.roomID)] }),
            "goneRooms": .array(goneRooms.map(\.json)), "notes": .array(notes.map(JSON.string)),
        ]
    }
}
