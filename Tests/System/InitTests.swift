import Foundation
import TestSupport
import Testing
import UsherCore

@Suite(.timeLimit(.minutes(3)))
struct InitTests {
    private static let answers = [
        "--name", "Müller & Söhne: Praxis #1", "--from", "bookings@northwind.example", "--owner", "Ana Ruiz <ana@northwind.example>",
        "--provider", "https://meet.northwind.example/{code}", "--time-zone", "Europe/Berlin", "--language", "de",
    ]

    /// Without the site's own variables: what `usher init` wrote counts alone.
    private func usher(_ site: Site, _ arguments: [String], config: String? = nil) async throws -> (
        code: Int32, output: String, errors: String
    ) {
        let environment = config.map { ["USHER_CONFIG": $0, "USHER_PORT": "\(site.port)"] } ?? [:]
        return try await Command(Command.usher, arguments, environment: environment, folder: site.folder).finish()
    }

    @Test("what init writes is a site that checks, that the doctor finds well, and that books")
    func writes() async throws {
        let site = try await Site()
        let made = try await usher(site, ["init", "--folder", "new", "--json"] + Self.answers)
        #expect(made.code == 0, "\(made.errors)")
        let config = try JSON(parsing: made.output)["configuration"]?.string ?? ""
        #expect((try FileManager.default.attributesOfItem(atPath: config)[.posixPermissions] as? Int) == 0o600)
        for command in [["check", "--strict"], ["doctor"]] {
            let looked = try await usher(site, command, config: config)
            #expect(looked.code == 0, "\(looked.output)\(looked.errors)")
        }
        let booked = try await usher(
            site, ["book", "consultation", "--owner", "ana", "--at", "2027-01-12T10:00", "--attendee", "bo@example.org", "--json"],
            config: config)
        #expect(booked.code == 0, "\(booked.errors)")
        #expect(try JSON(parsing: booked.output)["start"] == "2027-01-12T09:00:00Z")
        let mails = try FileManager.default.contentsOfDirectory(atPath: site.folder + "/new/mail/new")
        #expect(mails.count == 2)
        await site.close()
    }

    @Test("nothing is written over, and nothing where an answer is wrong; each wrong answer is named")
    func refuses() async throws {
        let site = try await Site()
        let there = try await usher(site, ["init"] + Self.answers)
        #expect(there.code == 2)
        #expect(there.errors.contains("meeting-types.yaml is there already"))
        let wrong = try await usher(
            site, ["init", "--folder", "new", "--name", "A", "--from", "nobody", "--provider", "zooom", "--time-zone", "Mars/Olympus"])
        #expect(wrong.code == 1)
        for option in ["--from", "--provider", "--owner", "--time-zone"] { #expect(wrong.errors.contains("\(option): "), "\(option)") }
        #expect(!FileManager.default.fileExists(atPath: site.folder + "/new"))
        await site.close()
    }

    @Test("at a terminal it asks, and asks again after an answer that will not do")
    func asks() async throws {
        let site = try await Site()
        let program = try Command(
            "/usr/bin/script", ["-qec", "\(Command.usher) init --folder new", "/dev/null"], environment: [:], folder: site.folder)
        let answers = [
            "Praxis", "nobody", "a@northwind.example", "Ana Ruiz <ana@northwind.example>", "Europe/Berlin", "", "jitsi", "", "", "",
        ]
        program.write(Array((answers.joined(separator: "\n") + "\n").utf8))
        let said = await program.finish()
        #expect(said.code == 0, "\(said.output)")
        #expect(said.output.contains("Write a mail address"))
        let written = try String(contentsOfFile: site.folder + "/new/meeting-types.yaml", encoding: .utf8)
        #expect(written.contains("time-zone: Europe/Berlin") && written.contains("jitsi: {}"))
        await site.close()
    }

    @Test("a server without a catalogue says how to come by one")
    func noCatalogue() async throws {
        let site = try await Site()
        let said = try await site.usher("serve", "--catalog", site.folder + "/none.yaml").finish()
        #expect(said.code == 2)
        #expect(said.errors.contains("usher init"))
        await site.close()
    }

    @Test("doctor --fix closes files that others can read, and makes folders that are missing")
    func fixes() async throws {
        let site = try await Site()
        let config = site.folder + "/usher.env"
        try "DATABASE_URL=sqlite:state/deep/usher.sqlite\nUSHER_MAILDIR=post\nUSHER_API_KEY=\(site.key)\n"
            .write(toFile: config, atomically: true, encoding: .utf8)
        chmod(config, 0o644)
        try FileManager.default.createDirectory(atPath: site.folder + "/post", withIntermediateDirectories: true)
        #expect(try await usher(site, ["doctor"], config: config).errors.contains("chmod 640"))
        let fixed = try await usher(site, ["doctor", "--fix"], config: config)
        #expect(fixed.errors.contains("mended: \(config)"), "\(fixed.errors)")
        #expect(FileManager.default.fileExists(atPath: site.folder + "/state/deep"))
        #expect(FileManager.default.fileExists(atPath: site.folder + "/post/new"))
        chmod(config, 0o600)
        let again = try await usher(site, ["doctor", "--json"], config: config)
        #expect(!again.output.contains("\"files\""))
        await site.close()
    }

    @Test("the address alone leads to a page for people, in their language")
    func home() async throws {
        let site = try await Site()
        let server = try await site.serve()
        let page = try await site.browse("/", headers: [("Accept-Language", "de-AT,de;q=0.9")])
        #expect(page.status == 200)
        #expect(page.page.contains(">Northwind Clinic</h1>") && page.page.contains("Sie sind eingeladen?"))
        server.kill()
        await site.close()
    }
}
