import Foundation
import Mustache
import UsherCore

/// How a site's mail looks: its templates and its logo. What the site does not bring is Usher's own.
package struct MailLook: Sendable {
    package private(set) var html = String(decoding: PackageResources.letter_html_mustache, as: UTF8.self)
    package private(set) var text = String(decoding: PackageResources.letter_txt_mustache, as: UTF8.self)
    package private(set) var logo: Logo?

    package init() {}

    /// The same for looks that make the same mails, in the same version of Usher: FNV-1a, 64 bits.
    package var fingerprint: String {
        var hash: UInt64 = 0xcbf2_9ce4_8422_2325
        for byte in [Array(UsherVersion.number.utf8), Array(html.utf8), Array(text.utf8), logo?.bytes ?? []].joined() {
            hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3
        }
        return String(hash, radix: 36)
    }

    /// Something wrong with a file that `site:` names; `key` is `logo` or `templates`.
    package struct Finding: Hashable, Sendable {
        package var key: String
        package var message: String
    }

    private static let files = ["letter.html.mustache", "letter.txt.mustache"]
    /// Without these a mail would not say when, or would lead nowhere.
    private static let needed = ["date", "time", "url", "joinPage", "managePage", "paragraphs", "actionURL"]

    /// Reads what a site brings along.
    /// - Parameters:
    ///   - folder: of the catalogue's file; paths start there.
    ///   - logo: a PNG.
    ///   - templates: a folder with any of `letter.html.mustache`, `letter.txt.mustache`.
    /// - Returns: the look, Usher's own in place of what is broken, and what is wrong.
    package static func read(folder: String, logo: String?, templates: String?) -> (look: MailLook, findings: [Finding]) {
        var look = MailLook()
        var findings: [Finding] = []
        if let logo {
            let bytes = FileManager.default.contents(atPath: "\(folder)/\(logo)").map(Array.init)
            look.logo = bytes.flatMap(Logo.init)
            if bytes == nil {
                findings.append(Finding(key: "logo", message: "there is no file '\(logo)' beside the catalogue"))
            } else if look.logo == nil {
                findings.append(
                    Finding(
                        key: "logo", message: "'\(logo)' must be a PNG of at most \(Logo.largestFile / 1_000) KB and 5,000 pixels a side"))
            }
        }
        if let templates { findings += look.readTemplates("\(folder)/\(templates)", named: templates) }
        return (look, findings)
    }

    private mutating func readTemplates(_ path: String, named name: String) -> [Finding] {
        guard let present = try? FileManager.default.contentsOfDirectory(atPath: path) else {
            return [Finding(key: "templates", message: "there is no folder '\(name)' beside the catalogue")]
        }
        var findings = present.sorted().filter { $0.hasSuffix(".mustache") && !Self.files.contains($0) }.map { file in
            Finding(key: "templates", message: "'\(name)/\(file)' is no template; there are: \(Self.files.joined(separator: ", "))")
        }
        for file in Self.files where present.contains(file) {
            guard let data = FileManager.default.contents(atPath: "\(path)/\(file)"), let source = String(data: data, encoding: .utf8)
            else {
                findings.append(Finding(key: "templates", message: "'\(name)/\(file)' cannot be read as UTF-8"))
                continue
            }
            let wrong = Self.check(source).map { Finding(key: "templates", message: "'\(name)/\(file)': \($0)") }
            findings += wrong
            if wrong.isEmpty { if file == Self.files[0] { html = source } else { text = source } }
        }
        return findings
    }

    /// What is wrong with a template: its form, names that nothing fills, names without which it leads nowhere.
    private static func check(_ source: String) -> [String] {
        do { _ = try MustacheTemplate(string: source) } catch { return ["it cannot be read: \(words(error))"] }
        if source.contains(/\{\{\s*[>=<$]/) { return ["partials, inheritance and other delimiters are not read here"] }
        let used = names(in: source)
        let known = names(in: MailLook().html).union(names(in: MailLook().text))
        let unknown = used.subtracting(known).sorted().map { name in
            "line \(line(of: name, in: source)): nothing fills {{\(name)}}"
                + (nearest(name, known.sorted()).map { "; did you mean {{\($0)}}?" } ?? "")
        }
        return unknown + needed.filter { !used.contains($0) }.map { "it must show {{\($0)}}, or some mails say or lead nothing" }
    }

    private static func line(of name: String, in source: String) -> Int {
        let lines = source.split(separator: "\n", omittingEmptySubsequences: false)
        return (lines.firstIndex { names(in: String($0)).contains(name) } ?? 0) + 1
    }

    /// A parser's complaint, with the place where it noticed.
    private static func words(_ error: any Error) -> String {
        guard let error = error as? MustacheTemplate.ParserError else { return "\(error)" }
        let what =
            switch error.error as? MustacheTemplate.Error {
            case .sectionCloseNameIncorrect: "a section is closed under another name than it was opened under"
            case .unfinishedName: "a {{ has no }}"
            case .expectedSectionEnd: "a section ({{#…}} or {{^…}}) is never closed"
            default: "\(error.error)"
            }
        return "line \(error.context.lineNumber), column \(error.context.columnNumber): \(what)"
    }

    /// The names between double braces, without their signs.
    private static func names(in source: String) -> Set<String> {
        Set(source.matches(of: /\{\{[#^\/&{]?\s*([A-Za-z]+)\s*\}?\}\}/).map { String($0.1) })
    }
}
