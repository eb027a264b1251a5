import Foundation
import Mustache
import Synchronization
import UsherCore
import UsherMail

/// The look of the catalogue in force, read once for each.
package final class PageLooks: Sendable {
    private struct Key: Equatable {
        var color: String
        var logo: String?
        var templates: String?
        var digest: String
    }
    private let folder: String?
    private let known = Mutex<(key: Key, look: PageLook)?>(nil)

    /// - Parameter folder: of the catalogue's file, where paths in it start; `nil` where it has none.
    package init(folder: String? = nil) { self.folder = folder }

    /// - Parameter digest: of the catalogue.
    func look(_ site: Site, _ digest: String) -> PageLook {
        let key = Key(color: site.color, logo: site.logo, templates: site.templates, digest: digest)
        return known.withLock { known in
            if let known, known.key == key { return known.look }
            let look = read(site)
            known = (key, look)
            return look
        }
    }

    /// What is broken was a finding of `usher check`, and is Usher's own here.
    private func read(_ site: Site) -> PageLook {
        guard let folder else { return PageLook(color: site.color) }
        let logo = site.logo.flatMap { FileManager.default.contents(atPath: "\(folder)/\($0)") }.map(Array.init).flatMap(Logo.init)
        let templates = site.templates.map { PageTemplate.read("\(folder)/\($0)").sources } ?? [:]
        return PageLook(color: site.color, logo: logo?.bytes, templates: templates)
    }
}

extension PageTemplate {
    /// A site's templates in a folder, and what is wrong with the others there, a sentence each.
    package static func read(_ folder: String) -> (sources: [PageTemplate: String], findings: [String]) {
        var (sources, findings): ([PageTemplate: String], [String]) = ([:], [])
        for template in allCases {
            guard let data = FileManager.default.contents(atPath: "\(folder)/\(template.file)") else { continue }
            guard let source = String(data: data, encoding: .utf8) else {
                findings.append("'\(template.file)' cannot be read as UTF-8")
                continue
            }
            let wrong = template.problems(source)
            findings += wrong.map { "'\(template.file)': \($0)" }
            if wrong.isEmpty { sources[template] = source }
        }
        return (sources, findings)
    }

    /// What is wrong with a site's own version: its form, and names that nothing fills.
    private func problems(_ source: String) -> [String] {
        if let problem = TemplateCheck.syntax(source) { return [problem] }
        let known = Self.allCases.reduce(into: TemplateCheck.names(in: self.source)) { $0.formUnion(TemplateCheck.names(in: $1.source)) }
        let parts = Self.allCases.map(\.rawValue)
        let unknownParts = TemplateCheck.parts(in: source).subtracting(parts).sorted().map { "there is no part {{> \($0)}}" }
        return unknownParts + TemplateCheck.unknown(in: source, known)
    }
}
