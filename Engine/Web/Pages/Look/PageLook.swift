import Foundation
import Mustache
import UsherCore
import UsherMail

/// How a site's pages look: templates, one stylesheet in the site's colour, one script, its logo.
package struct PageLook: Sendable {
    /// A file that pages ask for, under a name that changes with what is in it.
    struct Asset: Sendable {
        let path: String
        let type: String
        let bytes: [UInt8]
        /// For browsers that unpack it; pictures are packed already.
        let packed: [UInt8]?

        fileprivate init(_ stem: String, _ ending: String, _ type: String, _ bytes: [UInt8]) {
            path = "\(PageLook.folder)/\(stem)-\(contentHash(bytes)).\(ending)"
            self.type = type
            self.bytes = bytes
            packed = type.hasPrefix("text/") ? gzipped(bytes) : nil
        }
    }

    static let folder = "/assets"

    let style: Asset
    let script: Asset
    let logo: Asset?
    private let library: MustacheLibrary
    private let kept = Memo<String, String>(limit: 100)

    var assets: [Asset] { [style, script] + (logo.map { [$0] } ?? []) }

    /// - Parameters:
    ///   - color: the site's, `#rrggbb`.
    ///   - logo: a PNG.
    ///   - templates: of the site, in place of Usher's; those that are broken are left out.
    package init(color: String, logo: [UInt8]? = nil, templates: [PageTemplate: String] = [:]) {
        let colors = SiteColor.of(color)
        let sheet = ["plain": colors.plain, "onPlain": colors.onPlain, "link": colors.link, "darkLink": colors.darkLink].reduce(
            String(decoding: PackageResources.style_css, as: UTF8.self)
        ) { $0.replacing("{{\($1.key)}}", with: $1.value) }
        // Comments are for whoever reads the source.
        style = Asset("page", "css", "text/css; charset=utf-8", Array(sheet.replacing(/\/\*.*?\*\/\n?/, with: "").utf8))
        script = Asset("page", "js", "text/javascript; charset=utf-8", PackageResources.page_js)
        self.logo = logo.map { Asset("logo", "png", "image/png", $0) }
        var parsed: [String: MustacheTemplate] = [:]
        for template in PageTemplate.allCases {
            let source = templates[template] ?? template.source
            do { parsed[template.rawValue] = try MustacheTemplate(string: source) } catch {
                // A site's were checked when they were read; ours are rendered by the tests, one by one.
                preconditionFailure("The template \(template.file) is broken: \(error)")
            }
        }
        library = MustacheLibrary(templates: parsed)
    }

    /// Text by a template, made once for each key.
    func render(_ template: PageTemplate, keptAs key: String, _ values: () -> Any) -> String {
        kept.value("\(template.rawValue) \(key)") { render(template, values()) }
    }

    /// Text by a template.
    func render(_ template: PageTemplate, _ values: Any) -> String {
        library.render(TemplateValues.unfolded(values), withTemplate: template.rawValue) ?? ""
    }
}

/// FNV-1a, 64 bits: what tells one version of a file from another.
/// Source: https://datatracker.ietf.org/doc/html/draft-eastlake-fnv
func contentHash(_ bytes: [UInt8]) -> String {
    String(bytes.reduce(0xcbf2_9ce4_8422_2325 as UInt64) { ($0 ^ UInt64($1)) &* 0x100_0000_01b3 }, radix: 36)
}
