import Foundation
import Testing
import UsherCore

@Suite(.timeLimit(.minutes(2)))
struct ProgramTests {
    private func run(_ arguments: [String], configuration: String? = nil) throws -> (code: Int32, output: Data) {
        let process = Process()
        // Products of one build lie in one folder.
        process.executableURL = URL(fileURLWithPath: CommandLine.arguments[0]).deletingLastPathComponent().appending(path: "corridor-usher")
        process.arguments = arguments
        process.currentDirectoryURL = FileManager.default.temporaryDirectory
        process.environment = configuration.map { ["USHER_CONFIG": $0] } ?? [:]
        let output = Pipe()
        process.standardOutput = output
        try process.run()
        let data = output.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        return (process.terminationStatus, data)
    }

    @Test("the program is the same command with its own modules beside the others")
    func modules() throws {
        let (code, output) = try run(["providers", "--json"])
        let names = try JSON(parsing: Array(output)).array?.compactMap { $0["module"]?.string } ?? []
        #expect(code == 0 && Set(["corridor", "reception", "zoom-s2s"]).isSubset(of: names), "\(names)")
    }

    @Test("a configuration file may hold the credentials of its modules")
    func credentials() throws {
        let file = FileManager.default.temporaryDirectory.appending(path: "example-\(UUID().uuidString).conf")
        try Data("CORRIDOR_DOOR_CODE=1234\nRECEPTION_API_KEY=key\n".utf8).write(to: file)
        defer { try? FileManager.default.removeItem(at: file) }
        try FileManager.default.setAttributes([.posixPermissions: 0o640], ofItemAtPath: file.path)
        #expect(try run(["providers", "--json"], configuration: file.path).code == 0)
    }

    @Test("the demo calls nobody real: a module without a stand-in is refused")
    func demo() throws {
        let file = FileManager.default.temporaryDirectory.appending(path: "example-\(UUID().uuidString).yaml")
        let catalog = """
            version: 1
            site: { name: A, from: "A <a@a.example>", time-zone: Europe/Berlin, default-provider: rooms }
            providers: { rooms: { module: corridor, house: rooms.example } }
            owners: { ana: { name: Ana, email: ana@a.example } }
            meeting-types: { talk: { title: Talk, duration: 30m } }
            """
        try Data(catalog.utf8).write(to: file)
        defer { try? FileManager.default.removeItem(at: file) }
        #expect(try run(["demo", "--once", "--catalog", file.path]).code == 2)
    }
}
