import Foundation
import Testing
import UsherCore
import UsherMail

/// Every kind of mail in every language, as the preview shows them.
@Suite(.timeLimit(.minutes(2)))
struct LetterSampleTests {
    static let samples: LetterSamples = {
        let site = Site(
            name: "Northwind Clinic", from: Mailbox(name: "Northwind Clinic", address: "bookings@northwind.example"),
            timeZone: "Europe/Berlin", defaultProvider: "zoom")
        let owner = Owner(id: "ana", name: "Ana Ruiz", email: "ana@northwind.example", timeZone: "Europe/Madrid", language: "es")
        let type = MeetingType(
            id: "consultation", title: "Consultation with {owner.name}", description: "Thirty minutes, by video.",
            durations: [.minutes(30)], reminders: [.days(1), .minutes(15)], intro: "Please have your insurance card at hand.")
        let entry = ProviderEntry(name: "zoom", module: "zoom")
        return LetterSamples(
            type: type, owner: owner, site: site, link: Terms.Link(provider: "zoom", module: "zoom"),
            room: LetterSamples.room(entry, [.passcode, .dialIn, .schedule]), publicURL: "https://usher.example",
            now: Instant(seconds: 1_795_507_200))
    }()

    private static func readers(_ kind: LetterSamples.Kind) -> [Reader] { kind.isForOwnerAlone ? [.owner] : [.attendee(0), .owner] }

    private func render(_ kind: LetterSamples.Kind, _ reader: Reader, _ language: String) throws -> MailRenderer.Parts {
        let renderer = try MailRenderer()
        return Self.samples.render(kind, to: reader, language: language, timeZone: "America/New_York", renderer).parts
    }

    /// `USHER_GOLDEN=write` writes them anew, to be read before they are committed.
    private func compare(_ text: String, with name: String) throws {
        let path = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent("Golden/\(name)").path
        if ProcessInfo.processInfo.environment["USHER_GOLDEN"] == "write" {
            try text.write(toFile: path, atomically: true, encoding: .utf8)
        }
        let golden = try String(contentsOfFile: path, encoding: .utf8)
        let different = zip(
            text.split(separator: "\n", omittingEmptySubsequences: false), golden.split(separator: "\n", omittingEmptySubsequences: false)
        )
        .first { $0 != $1 }
        #expect(text == golden, "\(name): first difference: \(different.map { "\($0.0) | \($0.1)" } ?? "the length")")
    }

    @Test("every kind of mail reads as it was reviewed", arguments: Language.all)
    func texts(language: String) throws {
        var all = ""
        for kind in LetterSamples.Kind.allCases {
            for reader in Self.readers(kind) {
                let parts = try render(kind, reader, language)
                all += "=== \(kind.rawValue), \(reader == .owner ? "owner" : "attendee")\nSubject: \(parts.subject)\n\n\(parts.text)\n\n"
            }
        }
        try compare(all, with: "\(language).txt")
    }

    @Test("HTML and calendar of an invitation, a change and a cancellation read as they were reviewed")
    func forms() throws {
        try compare(try render(.confirmation, .attendee(0), "en").html, with: "confirmation.html")
        for kind in [LetterSamples.Kind.confirmation, .moved, .cancellation] {
            let calendar = try render(kind, .attendee(0), "de").calendar.replacing("\r\n", with: "\n")
            try compare(calendar, with: "\(kind.rawValue).ics")
        }
        try compare(try render(.confirmation, .owner, "en").calendar.replacing("\r\n", with: "\n"), with: "owner.ics")
    }

    // MARK: Languages

    private func keys(_ language: String) throws -> [String: Set<String>] {
        let words = try #require(Language.words.first { $0.key == language }?.value)
        var found: [String: Set<String>] = [:]
        func walk(_ json: JSON, _ path: String) {
            for member in json.members ?? [] {
                if let text = member.value.string {
                    found["\(path)/\(member.key)"] = Set(Placeholders.names(in: text))
                    #expect(!text.isEmpty, "\(language): \(path)/\(member.key) is empty")
                } else {
                    walk(member.value, "\(path)/\(member.key)")
                }
            }
        }
        walk(try JSON(parsing: words), "")
        return found
    }

    @Test("every language says all that English says, with the same marks", arguments: Language.all)
    func completeness(language: String) throws {
        let (english, other) = (try keys("en"), try keys(language))
        #expect(Set(other.keys) == Set(english.keys))
        for (key, marks) in english { #expect(other[key] == marks, "\(language): \(key)") }
    }

    @Test("no mail keeps a mark unfilled or a name of a template", arguments: Language.all)
    func filled(language: String) throws {
        for kind in LetterSamples.Kind.allCases {
            for reader in Self.readers(kind) {
                let parts = try render(kind, reader, language)
                for text in [parts.subject, parts.text, parts.html, parts.calendar] {
                    #expect(!text.contains("{{") && text.firstMatch(of: /\{[a-z.]+\}/) == nil && !text.contains("\u{F0000}"))
                }
            }
        }
    }

    // MARK: The form that mail programs take

    /// What Gmail keeps and Word's engine draws; `max-width` stands beside a table of fixed width for Word.
    /// Source: https://www.caniemail.com
    private static let properties: Set<String> = [
        "margin", "padding", "background-color", "color", "font-family", "font-size", "font-weight", "line-height", "text-decoration",
        "word-break", "max-width",
    ]
    private static let tags: Set<String> = [
        "html", "head", "meta", "title", "style", "body", "table", "tr", "td", "p", "h1", "strong", "span", "a", "br", "s", "img",
    ]

    @Test("the HTML is of tables and inline styles that every mail program takes, small, and fetches nothing", arguments: Language.all)
    func html(language: String) throws {
        for kind in LetterSamples.Kind.allCases {
            for reader in Self.readers(kind) {
                let html = try render(kind, reader, language).html
                #expect(html.utf8.count < 30_000)
                let styles = html.matches(of: /style="([^"]*)"/).flatMap { $0.1.split(separator: ";") }
                for property in styles.map({ $0.prefix { $0 != ":" }.description }) {
                    #expect(Self.properties.contains(property), "\(property)")
                }
                for tag in html.matches(of: /<([a-z0-9]+)[ >]/).map({ String($0.1) }) { #expect(Self.tags.contains(tag), "\(tag)") }
                #expect(!html.contains("<script") && !html.contains("@import") && !html.contains("url("))
                #expect(html.matches(of: /src="([^"]+)"/).allSatisfy { $0.1.hasPrefix("cid:") })
                let tables = html.matches(of: /<table[^>]*>/).map { String($0.0) }
                #expect(tables.allSatisfy { $0.contains("role=\"presentation\"") })
                #expect(html.contains("lang=\"\(language)\"") && html.contains("dir=\"\(language == "ar" ? "rtl" : "ltr")\""))
                // Every ground has its colour as an attribute too, for programs that drop styles.
                #expect(html.matches(of: /<td[^>]*background-color[^>]*>/).allSatisfy { $0.0.contains("bgcolor=") })
                for link in html.matches(of: /<a [^>]*>([^<]*)<\/a>/) { #expect(!link.1.isEmpty) }
            }
        }
    }

    @Test(
        "every colour of a site leaves text that can be read",
        arguments: ["#0b6e4f", "#ffee00", "#000000", "#ffffff", "#777777", "#c0ffee", "#1d4ed8"])
    func colors(color: String) throws {
        var samples = Self.samples
        samples.site.color = color
        let renderer = try MailRenderer()
        let html = samples.render(.confirmation, to: .attendee(0), language: "en", timeZone: "Europe/Berlin", renderer).parts.html
        let head = try #require(html.firstMatch(of: /background-color:(#[0-9a-f]{6});padding:16px 28px;color:(#[0-9a-f]{6})/))
        #expect(Contrast.between(String(head.1), String(head.2)) >= 4.5)
        let link = try #require(html.firstMatch(of: /class="link"[^>]*style="color:(#[0-9a-f]{6})/))
        #expect(Contrast.between("#f3f4f2", String(link.1)) >= 4.5)
        let dark = try #require(html.firstMatch(of: /\.link\{color:(#[0-9a-f]{6})/))
        #expect(Contrast.between("#252a27", String(dark.1)) >= 4.5)
    }

    // MARK: Logo and templates of the site

    private func folder(_ files: [String: [UInt8]]) throws -> String {
        let path = FileManager.default.temporaryDirectory.path + "/usher-look-" + Environment.system.code(bits: 80)
        try FileManager.default.createDirectory(atPath: path + "/mail", withIntermediateDirectories: true)
        for (name, bytes) in files { try Data(bytes).write(to: URL(fileURLWithPath: "\(path)/\(name)")) }
        return path
    }

    /// One pixel. Its form: https://www.w3.org/TR/png-3/
    private static let png = Array(
        Data(base64Encoded: "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==") ?? Data())

    @Test("a logo travels inside the mail, beside the HTML that shows it")
    func logo() throws {
        let path = try folder(["logo.png": Self.png])
        let (look, findings) = MailLook.read(folder: path, logo: "logo.png", templates: nil)
        #expect(findings.isEmpty)
        let mail = Self.samples.render(.confirmation, to: .attendee(0), language: "en", timeZone: "UTC", try MailRenderer(look)).mail
        let text = String(decoding: mail.bytes, as: UTF8.self)
        #expect(text.contains("multipart/related") && text.contains("Content-ID: <logo@usher>") && text.contains("cid:logo@usher"))
    }

    private static let own =
        "Hello: {{title}} {{url}} {{joinPage}} {{date}} {{time}} {{managePage}} {{#paragraphs}}{{text}}{{/paragraphs}} {{actionURL}}"

    @Test("a template of the site takes the place of ours, and the other stays")
    func template() throws {
        let path = try folder(["mail/letter.txt.mustache": Array(Self.own.utf8)])
        let (look, findings) = MailLook.read(folder: path, logo: nil, templates: "mail")
        #expect(findings.isEmpty)
        let parts = Self.samples.render(.confirmation, to: .attendee(0), language: "en", timeZone: "UTC", try MailRenderer(look)).parts
        #expect(parts.text.hasPrefix("Hello: Consultation with Ana Ruiz https://"))
        #expect(parts.html.contains("<table"))
    }

    @Test(
        "what is wrong with a logo or a template is said, and no mail is broken by it",
        arguments: [
            ("mail/letter.txt.mustache", "{{title", "cannot be read"),
            ("mail/letter.txt.mustache", "{{#hasURL}}{{url}}{{joinPage}}", "cannot be read"),
            ("mail/letter.txt.mustache", "{{url}} {{joinPage}} {{tilte}}", "did you mean {{title}}"),
            ("mail/letter.html.mustache", "{{title}}", "lead nothing"), ("mail/letter.html.mustache", "{{> head}}", "partials"),
            ("mail/lettre.html.mustache", "x", "is no template"),
            ("logo.png", "GIF89a", "must be a PNG"),
        ])
    func broken(file: String, content: String, says: String) throws {
        let path = try folder([file: Array(content.utf8)])
        let (look, findings) = MailLook.read(folder: path, logo: file == "logo.png" ? file : nil, templates: "mail")
        #expect(findings.contains { $0.message.contains(says) }, "\(findings)")
        let parts = Self.samples.render(.confirmation, to: .attendee(0), language: "en", timeZone: "UTC", try MailRenderer(look)).parts
        #expect(parts.text.contains("Join the meeting") && parts.html.contains("Join the meeting"))
    }
}

/// https://www.w3.org/TR/WCAG22/#dfn-contrast-ratio, reckoned apart from the code under test.
enum Contrast {
    static func between(_ one: String, _ other: String) -> Double {
        let lights = [one, other].map(light).sorted()
        return (lights[1] + 0.05) / (lights[0] + 0.05)
    }

    private static func light(_ color: String) -> Double {
        let digits = Array(color.dropFirst())
        let channels = stride(from: 0, to: 6, by: 2).map { Double(Int(String(digits[$0..<$0 + 2]), radix: 16) ?? 0) / 255 }
        let linear = channels.map { $0 <= 0.04045 ? $0 / 12.92 : pow(($0 + 0.055) / 1.055, 2.4) }
        return zip(linear, [0.2126, 0.7152, 0.0722]).map(*).reduce(0, +)
    }
}
