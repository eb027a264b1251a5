import Foundation
import TestPostgreSQL
import Testing
import UsherCore

/// The program of the release before, where there is one to run beside this one.
private let formerRelease = ProcessInfo.processInfo.environment["USHER_FORMER"]

/// Two releases at one PostgreSQL, while servers of the one are replaced by those of the other. `make upgrade` builds the release before.
@Suite(.timeLimit(.minutes(10)), .enabled(if: formerRelease != nil))
struct UpgradeTests {
    private func startFormer(_ site: Site) async throws -> Command {
        let server = try Command(#require(formerRelease), ["serve"], environment: site.environment, folder: site.folder)
        try #require(await server.line(errorStream: true) { $0.contains("listening") } != nil, "\(server.errorText)")
        return server
    }

    @Test("a server of the release before goes on beside one of this release, and can be started anew there; nothing is lost or made twice")
    func sideBySide() async throws {
        let site = try await Site(server: try .shared())
        let port = try FreeTestPort.find()
        let former = try await startFormer(site)
        let accepted = AcceptedBookings()
        try await withThrowingTaskGroup(of: Void.self) { group in
            for caller in 0..<4 {
                group.addTask { try await accepted.callAgainAndAgain(site, caller, port: caller % 2 == 0 ? site.port : port) }
            }
            while accepted.all.count < 5 { try await Task.sleep(for: .milliseconds(20)) }
            let present = try await site.serve(environment: ["USHER_PORT": "\(port)"])
            try await Task.sleep(for: .seconds(3))
            former.terminate()
            #expect(await former.finish().code == 0)
            // As where the new release is taken back.
            let again = try await startFormer(site)
            try await Task.sleep(for: .seconds(3))
            accepted.end()
            try await group.waitForAll()
            for port in [site.port, port] { try await accepted.check(site, port: port) }
            for server in [former, present, again] {
                server.terminate()
                let (code, _, errors) = await server.finish()
                #expect(code == 0)
                for word in ["error", "corrupt", "no such column"] { #expect(!errors.contains(" \(word)"), "\(errors.suffix(2_000))") }
            }
        }
        await site.close()
    }
}
