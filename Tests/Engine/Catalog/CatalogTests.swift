import Foundation
import TestValues
import Testing
import UsherCatalog
import UsherCore

@Suite(.timeLimit(.minutes(2)))
struct CatalogTests {
    static let head = """
        version: 1
        site: { name: N, from: "N <n@n.example>", time-zone: Europe/Berlin, default-provider: room }
        providers:
          room: { module: link, url: "https://n.example/{code}" }
          campus: { module: zoom-s2s }

        """
    static let types = "meeting-types:\n  talk: { title: Talk, duration: 30m }\n"

    private func findings(_ text: String) throws -> [String] { try findings(Array(text.utf8)) }

    private func findings(_ bytes: [UInt8]) throws -> [String] {
        CatalogReader(try ProviderRegistry(TestCatalog.modules)).read(bytes).diagnostics.map { $0.text(file: "f") }
    }

    @Test("a good file gives a catalogue with the defaults of the contract")
    func good() throws {
        let catalog = try TestCatalog.read(Self.head + Self.types)
        let type = try #require(catalog.meetingType("talk"))
        #expect(type.provider == MeetingType.ownerDefault)
        #expect(type.provision == .onConfirmation)
        #expect(!type.overlapAllowed)
        #expect(type.onDrift == .notify)
        #expect(type.meeting == MeetingOptions())
        #expect(catalog.site.language == "en")
    }

    @Test("people read a provider's title, or its module's name, and can tell two of a name apart")
    func titles() throws {
        let head = Self.head.replacing(
            "campus: { module: zoom-s2s }",
            with: "campus: { module: zoom-s2s }\n  zoom-s2s: {}\n  zoom: {}\n  hall: { module: zoom-s2s, title: Our hall }")
        let catalog = try TestCatalog.read(head + Self.types)
        #expect(
            ["zoom", "zoom-s2s", "campus", "hall", "gone"].map(catalog.title) == [
                "Zoom (zoom)", "Zoom", "Zoom (campus)", "Our hall", "gone",
            ])
        #expect(try findings(head.replacing("Our hall", with: "[1]") + Self.types).count == 1)
    }

    private static let wrongFiles: [(String, String, String, String)] = [
        ("meeting-types:\n  talk: { title: Talk, duraton: 30m }", "7:24", "catalog.unknown-key", "did you mean 'duration'"),
        ("meeting-types:\n  talk: { title: Talk, duration: 30 }", "7:34", "catalog.value", "did you mean '30m'"),
        ("meeting-types:\n  talk: { title: Talk }", "7:9", "catalog.missing-key", "duration"),
        ("meeting-types:\n  talk: { title: Talk, duration: 30m, durations: [30m] }", "7:50", "catalog.value", "both"),
        ("meeting-types:\n  talk: { title: Talk, durations: [] }", "7:35", "catalog.value", "empty list"),
        (
            "meeting-types:\n  talk: { title: Talk, duration: 30m, provider: campsu }", "7:49", "catalog.reference",
            "did you mean 'campus'"
        ),
        ("meeting-types:\n  talk: { title: Talk, duration: 30m, fallback: [rom] }", "7:50", "catalog.reference", "did you mean 'room'"),
        (
            "meeting-types:\n  talk: { title: \"Talk with {owner.nam}\", duration: 30m }", "7:18", "catalog.placeholder",
            "did you mean '{owner.name}'"
        ),
        (
            "meeting-types:\n  talk: { title: \"Talk with {owner.name\", duration: 30m }", "7:18", "catalog.placeholder",
            "one pair of braces"
        ),
        (
            "meeting-types:\n  talk: { title: \"Talk with {{owner.name}}\", duration: 30m }", "7:18", "catalog.placeholder",
            "one pair of braces"
        ),
        ("meeting-types:\n  Talk: { title: Talk, duration: 30m }", "7:3", "catalog.value", "small letters"),
        ("meeting-types:\n  talk: { title: Talk, duration: 2d }", "7:34", "catalog.value", "from 1m to 1d"),
        (
            "meeting-types:\n  talk: { title: Talk, duration: 30m, provider: room, meeting: { waiting-room: true } }", "7:80",
            "catalog.capability", "cannot do"
        ),
        (
            "meeting-types:\n  talk: { title: Talk, duration: 30m, provider: room, meeting: { summary: off } }", "7:75",
            "catalog.capability", "cannot do"
        ),
        (
            "meeting-types:\n  talk: { title: Talk, duration: 30m, provider: campus, meeting: { recording: tape } }", "7:79",
            "catalog.value", "inherit, off, local, cloud"
        ),
        (
            "owners:\n  ana: { name: Ana, email: ana }\nmeeting-types: { talk: { title: T, duration: 1h } }", "7:28", "catalog.value",
            "not a mail address"
        ),
        (
            "owners:\n  ana: { name: Ana, email: a@b.example, time-zone: Europe/Berln }\nmeeting-types: { talk: { title: T, duration: 1h } }",
            "7:52", "catalog.value", "did you mean 'Europe/Berlin'"
        ),
        (
            "owners:\n  ana: { name: Ana, email: a@b.example, time-zone: GMT+5 }\nmeeting-types: { talk: { title: T, duration: 1h } }",
            "7:52", "catalog.value", "IANA"
        ),
        (
            "owners:\n  ana: { name: Ana, email: a@b.example, time-zone: Etc/GMT-5 }\nmeeting-types: { talk: { title: T, duration: 1h } }",
            "7:52", "catalog.value", "IANA"
        ),
        ("meeting-types:\n  talk: { title: \" \", duration: 30m }", "7:18", "catalog.value", "is empty"),
        (
            "meeting-types:\n  talk: { title: T, duration: 30m, provider: campus, choices: [room], meeting: { waiting-room: true } }",
            "7:96", "catalog.capability", "'room' cannot do"
        ),
        (
            "owners:\n  ana: { name: Ana, email: a@b.example, language: xx }\nmeeting-types: { talk: { title: T, duration: 1h } }",
            "7:51",
            "catalog.value", "must be one of"
        ),
        (
            "owners:\n  ana: { name: Ana, email: a@b.example, hosts: { campu: a@c.example } }\nmeeting-types: { talk: { title: T, duration: 1h } }",
            "7:50", "catalog.reference", "did you mean 'campus'"
        ),
    ]

    @Test("each mistake is found at its place, with its code and a way out", arguments: wrongFiles)
    func mistakes(text: String, place: String, code: String, hint: String) throws {
        let found = try findings(Self.head + text)
        #expect(found.count == 1, "\(found)")
        #expect(found.first?.hasPrefix("f:\(place): error: ") == true, "\(found)")
        #expect(found.first?.hasSuffix("[\(code)]") == true, "\(found)")
        #expect(found.first?.contains(hint) == true, "\(found)")
    }

    @Test("a finding shows its line with a mark at its place, nothing that steers a terminal, and no secret")
    func excerpts() throws {
        let types = "meeting-types:\n  talk: { title: Talk, duraton: 30m }"
        let report = CatalogReader(try ProviderRegistry(TestCatalog.modules)).read(Array((Self.head + types).utf8))
        var finding = try #require(report.diagnostics.first)
        #expect(
            finding.excerpt(of: report.text)
                == "  7 |   talk: { title: Talk, duraton: 30m }\n    | " + String(repeating: " ", count: 23) + "^")
        (finding.line, finding.column) = (1, 2)
        #expect(finding.excerpt(of: "\ta\u{1B}[2Jb") == "  1 | \ta\u{FFFD}[2Jb\n    | \t^")
        finding.line = 9
        #expect(finding.excerpt(of: "a") == "")
        (finding.line, finding.code) = (1, .secretInFile)
        #expect(finding.excerpt(of: "secret") == "")
    }

    @Test("everything is found at once, in the order of the file")
    func all() throws {
        let found = try findings(
            "version: 2\nsit: {}\nproviders: { room: { module: lnk } }\nmeeting-types: { a: { title: A, duration: x } }\n")
        #expect(found.map { String($0.split(separator: ":").prefix(2).last ?? "") } == ["1", "2", "3", "4"])
    }

    @Test("the lengths of a type that has both duration and durations are looked at, too")
    func bothLengths() throws {
        let found = try findings(Self.head + "meeting-types:\n  talk: { title: A, duration: 3d, durations: [2d] }\n")
        #expect(found.count { $0.contains("from 1m to 1d") } == 2 && found.count == 3)
    }

    @Test("a key that stands twice is a finding for each place, beside all others")
    func duplicates() throws {
        let found = try findings(
            Self.head + "meeting-types:\n  talk: { title: A, title: B, duration: 30m }\n  talk: { title: C, duration: 1h, oops: 1 }\n")
        #expect(found.count { $0.hasSuffix("[catalog.duplicate]") } == 2)
        #expect(found.contains { $0.contains("oops") })
    }

    @Test("what is wrong with either of two entries of one name is found, secrets included")
    func wrongDuplicates() throws {
        let found = try findings(
            Self.head
                + "meeting-types:\n  talk: { title: A, duration: 30, provider: zooom, client-secret: x }\n  talk: { title: C, duration: xh }\n"
        )
        #expect(found.contains { $0.contains("zooom") } && found.contains { $0.hasSuffix("[catalog.secret-in-file]") })
        #expect(found.count { $0.contains(".duration'") } == 2, "\(found)")
    }

    @Test("secrets are refused, whether the key or the value gives them away")
    func secrets() throws {
        let byKey = try findings(Self.head.replacing("{ module: zoom-s2s }", with: "{ module: zoom-s2s, client-secret: abc }") + Self.types)
        #expect(byKey.count == 1 && byKey[0].contains("catalog.secret-in-file"))
        let byValue = try findings(
            Self.head.replacing("{ module: zoom-s2s }", with: "{ module: zoom-s2s, credentials: UJ3yQKZ8Tq6Dk2lH7pVQxA9WbN4mE5fR }")
                + Self.types)
        #expect(byValue.count == 1 && byValue[0].contains("catalog.secret-in-file"))
        let inside = try findings(
            Self.head + "meeting-types:\n  talk: { title: T, duration: 30m, description: \"The key is GOCSPX-abcdefghijklmnop.\" }\n")
        #expect(inside.count == 1 && inside[0].contains("catalog.secret-in-file"))
    }

    @Test("anchors and merge keys work; what stands in place wins")
    func merge() throws {
        let text =
            Self.head
            + "meeting-types:\n  base: &base { title: Base, duration: 30m, provider: room }\n  other: { <<: *base, title: Other }\n"
        let type = try #require(try TestCatalog.read(text).meetingType("other"))
        #expect(type.title == "Other")
        #expect(type.provider == "room")
    }

    @Test("a link without {code} is a warning, and the catalogue is good")
    func sharedRoom() throws {
        let report = CatalogReader(try ProviderRegistry(TestCatalog.modules)).read(
            Array((Self.head.replacing("/{code}", with: "/") + Self.types).utf8))
        #expect(report.catalog != nil)
        #expect(report.diagnostics.map(\.code) == [.sharedRoom])
    }

    @Test("a byte order mark and CRLF change nothing")
    func marks() throws {
        let text = (Self.head + Self.types).replacing("\n", with: "\r\n")
        #expect(try findings([0xEF, 0xBB, 0xBF] + Array(text.utf8)).isEmpty)
    }

    /// A file that is no catalogue, by a name that a test's log can show.
    enum Oddity: String, CaseIterable, Sendable {
        case nothing, onlyComments, binary, utf16, latin1, tabs, openBracket, twoDocuments, list, unknownAlias, deepNesting, twentyMegabytes

        var file: (bytes: [UInt8], code: String) {
            switch self {
            case .nothing: ([], "catalog.empty")
            case .onlyComments: (Array("# nothing\n".utf8), "catalog.empty")
            case .binary: ([0x00, 0x01, 0x02], "catalog.encoding")
            case .utf16: ([0xFF, 0xFE, 0x41, 0x00], "catalog.encoding")
            case .latin1: (Array("version: 1\nname: ".utf8) + [0xC3, 0x28], "catalog.encoding")
            case .tabs: (Array("a:\n\t- b\n".utf8), "catalog.syntax")
            case .openBracket: (Array("a: [1, 2".utf8), "catalog.syntax")
            case .twoDocuments: (Array("a: 1\n---\nb: 2\n".utf8), "catalog.syntax")
            case .list: (Array("- a\n- b\n".utf8), "catalog.type")
            case .unknownAlias: (Array("a: *nobody\n".utf8), "catalog.syntax")
            case .deepNesting: (Array(String(repeating: "[", count: 100_000).utf8), "catalog.syntax")
            case .twentyMegabytes: (Array(repeating: UInt8(ascii: "a"), count: 20 << 20), "catalog.too-large")
            }
        }
    }

    @Test("what is no catalogue gets one clear answer", arguments: Oddity.allCases)
    func noCatalogue(oddity: Oddity) throws {
        let found = try findings(oddity.file.bytes)
        #expect(found.count == 1, "\(found.prefix(3))")
        #expect(found.first?.contains("[\(oddity.file.code)]") == true, "\(found.prefix(3))")
    }

    @Test("an alias bomb is defused")
    func bomb() throws {
        var text = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n"
        for level in 1...9 { text += "a\(level): &a\(level) [\(Array(repeating: "*a\(level - 1)", count: 9).joined(separator: ", "))]\n" }
        #expect(try findings(text).first?.contains("catalog.alias-bomb") == true)
    }

    @Test(
        "an alias or a collection as a key is refused at its place, however it is written",
        arguments: ["x: {*a9 : 1}", "*a9 : 1", "[*a9]: 1", "x: {[*a9]: 1}", "? *a9\n: 1", "? [*a9]\n: 1"])
    func keys(line: String) throws {
        var text = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n"
        for level in 1...9 { text += "a\(level): &a\(level) [\(Array(repeating: "*a\(level - 1)", count: 9).joined(separator: ", "))]\n" }
        let found = try findings(text + line + "\n")
        #expect(found.count == 1 && found[0].hasPrefix("f:11:") && found[0].contains("a key must be a plain word"), "\(found)")
    }

    @Test("text that looks like a key of that kind is text")
    func innocent() throws {
        let text =
            Self.head + "meeting-types:\n  base: &base { title: Base, duration: 30m }\n"
            + "  other:\n    <<: *base\n    description: |\n      ? really\n      *base : yes\n"
        #expect(try findings(text).isEmpty)
    }

    @Test("a version in quotes is not the number 1")
    func version() throws {
        let found = try findings((Self.head + Self.types).replacing("version: 1", with: "version: \"1\""))
        #expect(found.count == 1 && found[0].contains("must be 1"))
    }

    @Test("the place of a broken character is named")
    func place() throws {
        #expect(try findings(Array("version: 1\nsite: ".utf8) + [0xC3, 0x28]).first?.hasPrefix("f:2:7:") == true)
    }

    @Test("SARIF and JSON say the same")
    func formats() throws {
        let report = CatalogReader(try ProviderRegistry(TestCatalog.modules)).read(Array("version: 3\n".utf8))
        #expect(report.sarif(file: "f")["runs"]?.array?.first?["results"]?.array?.count == report.diagnostics.count)
        #expect(report.diagnostics[0].json(file: "f")["line"] == 1)
    }

    private static let wrongBySchema = [
        "a: {}", "talk: { title: 5, duration: 30m }", "talk: { title: T, duration: 0m }", "talk: { title: T, duration: 25h }",
        "talk: { title: T, duration: soon }", "talk: { title: T, durations: 30m }", "talk: { title: T, durations: [30m, 30m] }",
        "talk: { title: T, duration: 30m, overlap: maybe }", "talk: { title: T, duration: 30m, calendar: sometimes }",
        "talk: { title: T, duration: 30m, provision: later }", "talk: { title: T, duration: 30m, on-drift: weep }",
        "talk: { title: T, duration: 30m, reminders: 1d }", "talk: { title: T, duration: 30m, reminders: [tomorrow] }",
        "talk: { title: T, duration: 30m, choices: [] }", "talk: { title: T, duration: 30m, email: { inro: x } }",
        "talk: { title: T, duration: 30m, email: { show-attendees: some } }", "talk: { title: T, duration: 30m, guests-may: all }",
        "talk: { title: T, duration: 30m, guest-changes: { moves: -1 } }",
        "talk: { title: T, duration: 30m, guest-changes: { notise: 1d } }",
        "talk: { title: T, duration: 30m, guest-changes: { notice: long } }", "talk: { title: \"{owner.nam}\", duration: 30m }",
        "talk: { title: T, duration: 30m, provider: campus, meeting: { passcode: some } }",
        "talk: { title: T, duration: 30m, provider: campus, meeting: { waiting-room: true, join-before-host: true } }",
        "talk: { title: T, duration: 30m, provider: campus, meeting: { alternative-hosts: [ana] } }", "talk: []",
    ].map { "meeting-types:\n  \($0)" }

    @Test("the reference tells of every key, with what it takes")
    func reference() throws {
        let text = CatalogReference.text(try ProviderRegistry(TestCatalog.modules))
        for key in [
            "site.from", "providers.zoom", "owners.<id>.hosts", "meeting-types.<id>.guest-changes.notice", "meeting-types.<id>.overlap",
        ] {
            #expect(text.contains("\(key)\n"), "\(key)")
        }
        #expect(text.contains("One of: forbid, allow. Default: forbid."))
    }

    @Test(
        "the schema is JSON Schema, describes each key, takes the sample file, and refuses what a schema can see",
        .enabled(if: FileManager.default.fileExists(atPath: "/usr/bin/python3")))
    func schema() throws {
        let folder = FileManager.default.temporaryDirectory.path + "/usher-schema-\(UInt64.random(in: 0 ... .max))"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let schema = CatalogSchema.json(try ProviderRegistry(TestCatalog.modules)).serialized
        try schema.write(toFile: folder + "/schema.json", atomically: true, encoding: .utf8)
        // What can be seen without the rest of the file; the others name what does not stand elsewhere in it.
        let seen = Self.wrongFiles.filter { !["catalog.reference", "catalog.capability"].contains($0.2) && !$0.0.contains("Berln") }
        let wrong = seen.map { Self.head + $0.0 } + Self.wrongBySchema.map { Self.head + $0 }
        try JSON.array(wrong.map(JSON.string)).serialized.write(toFile: folder + "/wrong.json", atomically: true, encoding: .utf8)
        for text in wrong { #expect(try !findings(text).isEmpty, "\(text)") }
        let script = """
            import json, sys, yaml, jsonschema
            schema = json.load(open(sys.argv[1])); jsonschema.Draft202012Validator.check_schema(schema)
            check = jsonschema.Draft202012Validator(schema)
            sample = yaml.safe_load(open(sys.argv[2])); assert not list(check.iter_errors(sample)), list(check.iter_errors(sample))
            for text in json.load(open(sys.argv[3])):
                assert list(check.iter_errors(yaml.safe_load(text))), text
            def undescribed(schema, path=""):
                if isinstance(schema, list):
                    return [found for part in schema for found in undescribed(part, path)]
                if not isinstance(schema, dict):
                    return []
                found = [path + "." + key for key, value in schema.get("properties", {}).items() if isinstance(value, dict)
                         and "description" not in value and "const" not in value and path != "if" and "enum" not in value]
                return found + [more for key, value in schema.items() if key not in ("if", "not", "$defs") for more in undescribed(value, key)]
            assert not undescribed(schema), undescribed(schema)
            """
        let sample = URL(fileURLWithPath: #filePath).deletingLastPathComponent().path + "/../../../meeting-types.yaml"
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/python3")
        process.arguments = ["-c", script, folder + "/schema.json", sample, folder + "/wrong.json"]
        try process.run()
        process.waitUntilExit()
        #expect(process.terminationStatus == 0)
    }
}
