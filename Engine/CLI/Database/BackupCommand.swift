import ArgumentParser
import Foundation
import UsherAssembly
import UsherCore

struct BackupCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "backup", abstract: "Copy the whole installation into one file, while the servers work.",
        discussion: """
            The file is a SQLite database with mode 0600, whichever database it was made from. The vault's keys are not in it, unless
            --with-keys puts them there, sealed under a passphrase: without them nothing that is sealed can be read again.
            """)
    @Argument(help: "A file that is not there yet.") var file: String
    @Flag(
        name: .customLong("with-keys"),
        help: "Put the vault's keys into it, sealed under a passphrase that is asked for, or is the first line of standard input.")
    var withKeys = false
    @Flag(help: "Answer in JSON.") var json = false

    func run() async throws {
        let configuration = try Options.bare()
        let passphrase = withKeys ? try Passphrase.ask("Passphrase for the keys: ", twice: true) : nil
        let bar = ProgressBar()
        defer { bar.end() }
        let note = try await Backup(configuration).run(to: file, passphrase: passphrase) { bar.show($0, $1, of: $2) }
        bar.end()
        let rows = note.tables.map(\.rows).reduce(0, +)
        guard !json else {
            return Output.json([
                "file": .string(file), "madeAt": .string(note.madeAt), "rows": .int(rows), "keyIds": .array(note.keyIDs.map(JSON.string)),
                "withKeys": .bool(note.sealedKeys != nil),
            ])
        }
        print("\(file): \(rows) rows.")
        if note.sealedKeys == nil {
            print("The vault's keys (\(note.keyIDs.joined(separator: ", "))) are not in it: keep a copy of them elsewhere.")
        }
    }
}

struct RestoreCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "restore", abstract: "Put a backup into an empty database, and hold it there.",
        discussion: """
            DATABASE_URL must name an empty place. Nothing leaves the restored installation until `usher release` has shown what would.
            """)
    @Argument(help: "A file that `usher backup` made.") var file: String
    @Flag(help: "Answer in JSON.") var json = false

    func run() async throws {
        let configuration = try Options.bare()
        let bar = ProgressBar()
        defer { bar.end() }
        let note = try await Restore(configuration).run(file, passphrase: { try Passphrase.ask("Passphrase of the keys: ") }) {
            bar.show($0.table, $0.done, of: $0.total)
        }
        bar.end()
        let rows = note.tables.map(\.rows).reduce(0, +)
        guard !json else {
            return Output.json(["rows": .int(rows), "madeAt": .string(note.madeAt), "held": .bool(true)])
        }
        print("\(rows) rows of \(note.madeAt) are in \(configuration.database.name), compared row by row.")
        print("It is held: pages and reads work, and nothing leaves. `usher release` shows what would, and lets it go.")
    }
}

/// A passphrase: typed unseen at a terminal, else the first line of standard input.
enum Passphrase {
    static func ask(_ prompt: String, twice: Bool = false) throws -> Secret {
        guard isatty(STDIN_FILENO) == 1 else { return try checked(readLine() ?? "") }
        let first = try checked(type(prompt))
        if twice, try checked(type("The same once more: ")).reveal() != first.reveal() {
            throw UsherError(.validationFailed, "The two are not the same; nothing was done.")
        }
        return first
    }

    private static func type(_ prompt: String) -> String { getpass(prompt).map { String(cString: $0) } ?? "" }

    private static func checked(_ text: String) throws -> Secret {
        guard text.count >= 12 else { throw UsherError(.validationFailed, "A passphrase has 12 characters at least.") }
        return Secret(text)
    }
}
