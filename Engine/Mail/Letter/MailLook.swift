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
    ///   - others: files of that folder that are no mail's.
    /// - Returns: the look, Usher's own in place of what is broken, and what is wrong.
    package static func read(
        folder: String, logo: String?, templates: String?, others: Set<String> = []
    ) -> (look: MailLook, findings: [Finding]) {
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
        if let templates { findings += look.readTemplates("\(folder)/\(templates)", named: templates, others) }
        return (look, findings)
    }

    private mutating func readTemplates(_ path: String, named name: String, _ others: Set<String>) -> [Finding] {
        guard let present = try? FileManager.default.contentsOfDirectory(atPath: path) else {
            return [Finding(key: "templates", message: "there is no folder '\(name)' beside the catalogue")]
        }
        var findings = present.sorted().filter { $0.hasSuffix(".mustache") && !Self.files.contains($0) && !others.contains($0) }.map {
            file in
            Finding(
                key: "templates",
                message: "'\(name)/\(file)' is no template; there are: \((Self.files + others.sorted()).joined(separator: ", "))")
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
        if let problem = TemplateCheck.syntax(source) { return [problem] }
        if source.contains(/\{\{\s*[>=<$]/) { return ["partials, inheritance and other delimiters are not read here"] }
        let used = TemplateCheck.names(in: source)
        let known = TemplateCheck.names(in: MailLook().html).union(TemplateCheck.names(in: MailLook().text))
        return TemplateCheck.unknown(in: source, known)
            + needed.filter { !used.contains($0) }.map { "it must show {{\($0)}}, or some mails say or lead nothing" }
    }
}
