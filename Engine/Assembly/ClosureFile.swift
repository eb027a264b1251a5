import Calendars
import Foundation
import UsherAvailability
import UsherCore
import UsherPipeline

/// A calendar file beside the catalogue, whose events close their days: `closed-by:`.
struct ClosureFile {
    let path: String

    init(folder: String, path: String) { self.path = path.hasPrefix("/") ? path : folder + "/" + path }

    /// `nil` where it cannot be read, or is larger than any list of holidays.
    var text: [UInt8]? {
        guard let data = FileManager.default.contents(atPath: path), data.count <= Self.largest else { return nil }
        return Array(data)
    }

    /// What is wrong with it, for the admin; `nil` for nothing.
    var problem: String? {
        guard let text else { return "there is no file at \(path) that can be read, of at most 1 MB" }
        let now = Environment.system.now()
        do throws(CalendarProblem) {
            _ = try CalendarText.closures(text, from: now, to: now + .days(366), timeZone: "UTC")
            return nil
        } catch { return "\(path) cannot be read as a calendar: \(error.reason)" }
    }

    private static let largest = 1_048_576
}

extension Configuration {
    /// The calendars that a catalogue's schedules name, by the paths as it writes them.
    func closures(_ catalog: Catalog) -> [String: [UInt8]] {
        let texts = Set(catalog.schedules.compactMap(\.closedBy)).compactMap { path in
            ClosureFile(folder: catalogFolder, path: path).text.map { (path, $0) }
        }
        return Dictionary(uniqueKeysWithValues: texts)
    }
}

extension Closures {
    /// Calendars as files write them.
    static var ofFiles: Closures {
        Closures { text, from, to, zone in
            // `nil` closes everything; what is wrong was said when the catalogue was checked.
            (try? CalendarText.closures(text, from: from, to: to, timeZone: zone))?.map { Interval($0.start, $0.end) }
        }
    }
}
