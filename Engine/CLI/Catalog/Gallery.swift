import Foundation
import UsherCore
import UsherMail

/// Every kind of mail in every language as files, with an index to browse.
struct Gallery {
    private let samples: LetterSamples
    private let renderer: MailRenderer
    private let owner: Owner
    private let site: Site

    init(_ samples: LetterSamples, _ renderer: MailRenderer, owner: Owner, site: Site) {
        self.samples = samples
        self.renderer = renderer
        self.owner = owner
        self.site = site
    }

    func write(to folder: String) throws {
        let files = FileManager.default
        do {
            try files.createDirectory(atPath: folder, withIntermediateDirectories: true)
            try writeAll(folder)
        } catch let error as CocoaError {
            throw UsherError(.configuration, "The folder '\(folder)' cannot be written: \(error.localizedDescription)")
        }
        Output.diagnostic("Open \(folder)/index.html.")
    }

    private func writeAll(_ folder: String) throws {
        var rows = ""
        let bar = ProgressBar()
        defer { bar.end() }
        var done: Int64 = 0
        let total = LetterSamples.Kind.allCases.reduce(0) { $0 + ($1.isForOwnerAlone ? 1 : 2) } * Language.all.count
        for kind in LetterSamples.Kind.allCases {
            let readers: [Reader] = kind.isForOwnerAlone ? [.owner] : [.attendee(0), .owner]
            for reader in readers {
                let role = reader == .owner ? "owner" : "attendee"
                var cells = ""
                for language in Language.all {
                    cells += try cell("\(kind.rawValue)-\(role)-\(language)", kind, reader, language, folder)
                    done += 1
                    bar.show("\(kind.rawValue), \(language)", done, of: Int64(total))
                }
                rows += "<tr><th scope=row>\(kind.rawValue), \(role)</th>\(cells)</tr>\n"
            }
        }
        let index = """
            <!DOCTYPE html><html lang=en><meta charset=utf-8><meta name=viewport content="width=device-width"><title>Mails</title>
            <style>:root{color-scheme:light dark}body{font:1rem/1.5 system-ui,sans-serif;margin:1.5rem}td,th{padding:.3rem .6rem;text-align:start}</style>
            <h1>Mails</h1><table><tr><th></th>\(Language.all.map { "<th scope=col>\($0)</th>" }.joined())</tr>
            \(rows)</table></html>

            """
        try index.write(toFile: folder + "/index.html", atomically: true, encoding: .utf8)
    }

    private func cell(
        _ name: String, _ kind: LetterSamples.Kind, _ reader: Reader, _ language: String, _ folder: String
    ) throws -> String {
        let zone = reader == .owner ? owner.timeZone : site.timeZone
        let (parts, mail) = samples.render(kind, to: reader, language: language, timeZone: zone, renderer)
        var files = [("html", Array(parts.html.utf8)), ("txt", Array(parts.text.utf8)), ("eml", mail.bytes)]
        if !parts.calendar.isEmpty { files.append(("ics", Array(parts.calendar.utf8))) }
        for (ending, bytes) in files { try Data(bytes).write(to: URL(fileURLWithPath: "\(folder)/\(name).\(ending)")) }
        return "<td>" + files.map { "<a href=\"\(name).\($0.0)\">\($0.0)</a>" }.joined(separator: " ") + "</td>"
    }
}
