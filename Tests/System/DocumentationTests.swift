import Foundation
import Testing

@Suite(.timeLimit(.minutes(1)))
struct DocumentationTests {
    private static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()

    private static var pages: [URL] {
        let chapters = FileManager.default.enumerator(at: root.appending(path: "Engine/Usher.docc"), includingPropertiesForKeys: nil)
        let found = (chapters?.compactMap { $0 as? URL } ?? []).filter { $0.pathExtension == "md" }
        return found + ["README.md", "Providers/README.md", ".github/CONTRIBUTING.md"].map { root.appending(path: $0) }
    }

    @Test("every file that a page leads to is there")
    func links() throws {
        #expect(Self.pages.count > 10)
        for page in Self.pages {
            let text = try String(contentsOf: page, encoding: .utf8)
            for match in text.matches(of: /\]\(([^)#]+)\)/) where !match.1.contains("://") {
                let target = page.deletingLastPathComponent().appending(path: String(match.1))
                #expect(FileManager.default.fileExists(atPath: target.path), "\(page.lastPathComponent) leads to \(match.1)")
            }
        }
    }

    @Test("the README is an entrance: short, and it names every chapter")
    func entrance() throws {
        let readme = try String(contentsOf: Self.root.appending(path: "README.md"), encoding: .utf8)
        #expect(readme.split(separator: "\n", omittingEmptySubsequences: false).count <= 121)
        for page in Self.pages where page.path.contains("Usher.docc/") && !page.path.contains("Decisions") {
            guard page.lastPathComponent != "Usher.md" else { continue }
            #expect(readme.contains(page.lastPathComponent), "the README leads nobody to \(page.lastPathComponent)")
        }
    }
}
