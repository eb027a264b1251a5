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
        let (code, output) = try run(["providers", "--json"], configuration: file.path)
        let missing = try JSON(parsing: Array(output)).array?.first { $0["module"] == "reception" }?["missing"]
        #expect(code == 0 && missing == .array([]), "\(String(describing: missing))")
    }

    /// Beside the sources.
    private static let catalog = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../../meeting-types.yaml").path

    @Test("the catalogue of the example is right")
    func check() throws { #expect(try run(["check", "--catalog", Self.catalog]).code == 0) }

    @Test("the demo shows rooms that are addresses, and refuses a module that it has no stand-in for: it calls nobody real")
    func demo() throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "example-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        #expect(try run(["demo", "--once", "--catalog", Self.catalog, "--folder", folder.path + "/a"]).code == 2)
        let own = folder.path + "/own.yaml"
        let text = try String(contentsOfFile: Self.catalog, encoding: .utf8).split(separator: "\n", omittingEmptySubsequences: false)
        let kept = text.filter { !$0.contains("reception") }.joined(separator: "\n")
        try Data(kept.utf8).write(to: URL(filePath: own))
        #expect(try run(["demo", "--once", "--catalog", own, "--folder", folder.path + "/b"]).code == 0)
    }
}
