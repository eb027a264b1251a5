import Foundation
import Logging
import UsherCatalog
import UsherCore
import UsherPipeline

/// Notices that the catalogue's file has changed: a valid one replaces the catalogue in force at once and whole, an invalid one
/// is reported and changes nothing.
package struct CatalogWatch: Sendable {
    private let runtime: Runtime
    private let path: String
    /// Taken before the file was read first, so that no change is missed.
    private let first: [FileStatus?]

    private static let interval = Duration.milliseconds(500)
    /// After so many looks at the file one is taken at what other servers have put in force.
    private static let roundsOfOthers = 4

    package init(_ runtime: Runtime, path: String) {
        self.runtime = runtime
        self.path = path
        first = [FileStatus(path)] + Self.stamps(runtime)
    }

    /// Puts the file in force, at the start.
    /// - Throws: ``UsherError`` where it has been changed, since the catalogue was read, to one with errors.
    package func adopt() async throws {
        let (file, report) = read()
        guard let file else { throw UsherError(.configuration, report.diagnostics.map { $0.text(file: path) }.joined(separator: "\n")) }
        try await runtime.adopt(file, path: path)
    }

    /// Watches until the task is cancelled.
    package func run() async {
        var seen = first
        var rounds = 0
        while !Task.isCancelled {
            try? await Task.sleep(for: Self.interval)
            rounds += 1
            let present = [FileStatus(path)] + Self.stamps(runtime)
            if present != seen {
                // What could not be put in force is tried again at the next look.
                if await reload() { seen = present }
            } else if rounds.isMultiple(of: Self.roundsOfOthers) {
                await followOthers()
            }
        }
    }

    private func followOthers() async {
        do { try await runtime.followOthers() } catch {
            runtime.context.logger.warning("whether another catalogue is in force is not known", metadata: ["error": "\(error)"])
        }
    }

    /// - Returns: whether this state of the file is dealt with.
    private func reload() async -> Bool {
        let logger = runtime.context.logger
        let (file, report) = read()
        for diagnostic in report.diagnostics { logger.warning("\(diagnostic.text(file: path))") }
        guard let file else {
            logger.error(
                "the catalogue has errors; the one before stays in force",
                metadata: ["file": "\(path)", "findings": "\(report.diagnostics.count)"])
            return true
        }
        do {
            try await runtime.adopt(file, path: path)
            logger.notice(
                "the catalogue was reloaded", metadata: ["file": "\(path)", "meeting-types": "\(file.catalog.meetingTypes.count)"])
            return true
        } catch {
            logger.error("the catalogue could not be put in force; the one before stays", metadata: ["error": "\(error)"])
            return false
        }
    }

    /// The file as it is now, where it has no errors, and what was found.
    private func read() -> (file: InstallationCatalogue.File?, report: CatalogReport) {
        let changed = FileStatus(path)?.changed ?? .epoch
        let report = CatalogReader.withFiles(runtime.registry).read(path: path)
        let file = report.catalog.map { catalog in
            InstallationCatalogue.File(
                text: report.text, catalog: catalog, changedAt: changed)
        }
        return (file, report)
    }

    /// The same of the calendars that close days.
    private static func stamps(_ runtime: Runtime) -> [FileStatus?] {
        let folder = runtime.configuration.catalogFolder
        return Set(runtime.context.catalog.current.schedules.compactMap(\.closedBy)).sorted()
            .map { FileStatus(ClosureFile(folder: folder, path: $0).path) }
    }
}
