import Foundation
import UsherCore

/// Reads `meeting-types.yaml`. It reports everything that is wrong at once, and gives a catalogue only when nothing is.
package struct CatalogReader: Sendable {
    private let registry: ProviderRegistry
    private let siteCheck: SiteCheck
    private let closureCheck: ClosureCheck

    /// What is wrong with the files that `site:` names, by its key; `folder` is the catalogue's.
    package typealias SiteCheck =
        @Sendable (
            _ folder: String, _ logo: String?, _ templates: String?
        ) -> [(key: String, message: String)]

    /// What is wrong with a calendar file that `closed-by:` names; `nil` for nothing.
    package typealias ClosureCheck = @Sendable (_ folder: String, _ path: String) -> String?

    /// A file of 10,000 meeting types has 3.5 MB; what is larger is not a catalogue.
    package static let largestFile = 10 * 1_048_576
    /// Deep nesting takes stack, and the threads of the runtime have little.
    private static let stackSize = 64 * 1_048_576

    /// - Parameters:
    ///   - siteCheck: looks into files beside the catalogue; only a catalogue that is a file itself has any.
    ///   - closureCheck: the same for calendars.
    package init(
        _ registry: ProviderRegistry, siteCheck: @escaping SiteCheck = { _, _, _ in [] },
        closureCheck: @escaping ClosureCheck = { _, _ in nil }
    ) {
        self.registry = registry
        self.siteCheck = siteCheck
        self.closureCheck = closureCheck
    }

    /// Reads the file at `path`; that it cannot be read is a finding too.
    package func read(path: String) -> CatalogReport {
        var isFolder: ObjCBool = false
        guard FileManager.default.fileExists(atPath: path, isDirectory: &isFolder), !isFolder.boolValue else {
            return failure(
                .unreadable,
                isFolder.boolValue
                    ? "this is a folder, not a file" : "there is no such file; name another with --catalog FILE or USHER_CATALOG")
        }
        let size = (try? FileManager.default.attributesOfItem(atPath: path)[.size] as? NSNumber)?.intValue ?? 0
        guard size <= Self.largestFile else { return failure(.tooLarge, Self.tooLarge(size)) }
        guard let data = FileManager.default.contents(atPath: path) else {
            return failure(.unreadable, "the file cannot be read; check its owner and mode")
        }
        let folder = URL(fileURLWithPath: path).deletingLastPathComponent().path
        return read(Array(data), files: (folder, siteCheck, closureCheck))
    }

    /// Reads a file's bytes; files beside it are not looked at.
    package func read(_ bytes: [UInt8]) -> CatalogReport { read(bytes, files: ("", { _, _, _ in [] }, { _, _ in nil })) }

    private func read(_ bytes: [UInt8], files: (folder: String, site: SiteCheck, closure: ClosureCheck)) -> CatalogReport {
        guard bytes.count <= Self.largestFile else { return failure(.tooLarge, Self.tooLarge(bytes.count)) }
        let registry = registry
        return onLargeStack {
            let report = Reporter()
            guard let text = SourceText.decode(bytes, report), let root = Composer.compose(text, report) else {
                return CatalogReport(catalog: nil, diagnostics: report.sorted)
            }
            let catalog = CatalogSection(
                report, registry, { files.site(files.folder, $0, $1) }, closures: { files.closure(files.folder, $0) }
            ).read(root)
            return CatalogReport(catalog: report.hasErrors ? nil : catalog, diagnostics: report.sorted, text: text)
        }
    }

    private func failure(_ code: Diagnostic.Code, _ message: String) -> CatalogReport {
        CatalogReport(catalog: nil, diagnostics: [Diagnostic(severity: .error, line: 1, column: 1, message: message, code: code)])
    }

    private static func tooLarge(_ size: Int) -> String {
        "the file has \(size / 1_048_576) MB, and the most that is read is \(largestFile / 1_048_576) MB: this is hardly a list of meeting types"
    }

    private func onLargeStack<Result: Sendable>(_ body: @escaping @Sendable () -> Result) -> Result {
        let outcome = Outcome<Result>()
        let thread = Thread { outcome.set(body()) }
        thread.stackSize = Self.stackSize
        thread.start()
        return outcome.wait()
    }
}

/// Hands one value from a thread to the one that waits for it.
private final class Outcome<Value: Sendable>: Sendable {
    private let condition = NSCondition()
    private nonisolated(unsafe) var value: Value?

    func set(_ value: Value) {
        condition.lock()
        self.value = value
        condition.signal()
        condition.unlock()
    }

    func wait() -> Value {
        condition.lock()
        defer { condition.unlock() }
        while true {
            if let value { return value }
            condition.wait()
        }
    }
}
