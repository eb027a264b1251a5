import Foundation
import Simulation
import Synchronization

/// Seeds as they are named on the command line: `7`, `1-50000`, or `1-50000/2` for every second.
struct SeedRange {
    var first: UInt64
    var last: UInt64
    /// 0 where none is given.
    var step: UInt64 = 0

    init?(_ text: String) {
        let parts = text.split(separator: "/").map(String.init)
        let seeds = (parts.first ?? "").split(separator: "-", omittingEmptySubsequences: false).map { UInt64($0) }
        guard (1...2).contains(parts.count), (1...2).contains(seeds.count), let first = seeds[0], let last = seeds[seeds.count - 1],
            first <= last
        else { return nil }
        (self.first, self.last) = (first, last)
        guard parts.count == 2 else { return }
        guard let step = UInt64(parts[1]), step > 0, seeds.count == 2 else { return nil }
        self.step = step
    }
}

/// A range of seeds in several processes, one at a time on each core: in one process they would wait for each other at SQLite's memory,
/// whose statistics are kept under a lock. Source: https://www.sqlite.org/malloc.html, "Memory statistics"
enum Parts {
    /// So many seeds a process runs. What a simulated process held when it died is never freed, about a megabyte for each seed.
    private static let longest: UInt64 = 500

    static func run(_ seeds: ClosedRange<UInt64>) throws -> Runs.Report {
        let cores = UInt64(max(1, min(ProcessInfo.processInfo.activeProcessorCount, seeds.count)))
        let report = Mutex(Runs.Report())
        DispatchQueue.concurrentPerform(iterations: Int(cores)) { core in
            for first in stride(from: seeds.lowerBound + UInt64(core), through: seeds.upperBound, by: Int(cores * longest)) {
                let last = min(seeds.upperBound, first + cores * longest - 1)
                let part = run("\(first)-\(last)/\(cores)")
                report.withLock { report in
                    report.violations += part.violations
                    report.events.merge(part.events, uniquingKeysWith: +)
                }
            }
        }
        return report.withLock { $0 }
    }

    /// Runs seeds in a process of their own. One that dies, or cannot begin, has said nothing of seeds that it never ran.
    private static func run(_ seeds: String) -> Runs.Report {
        var report = Runs.Report()
        do {
            let (process, output) = try start(seeds)
            let (violations, events) = collect(output)
            process.waitUntilExit()
            (report.violations, report.events) = (violations, events ?? [:])
            let ended = process.terminationReason == .exit ? process.terminationStatus : -1
            guard events == nil || ended != (violations.isEmpty ? 0 : 1) else { return report }
            report.violations.append("the process of the seeds \(seeds) ended with \(process.terminationStatus), and did not finish them")
        } catch { report.violations.append("the seeds \(seeds) could not be begun: \(error)") }
        print(report.violations.last ?? "")
        return report
    }

    private static func start(_ seeds: String) throws -> (Process, FileHandle) {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath()
        process.arguments = [seeds]
        let pipe = Pipe()
        process.standardOutput = pipe
        try process.run()
        return (process, pipe.fileHandleForReading)
    }

    /// What a part said: a line of a violation is shown at once, and the last line holds the events.
    private static func collect(_ output: FileHandle) -> (violations: [String], events: [String: Int]?) {
        var violations: [String] = []
        var events: [String: Int]?
        follow(output) { line in
            if line.hasPrefix("{"), let last = try? JSONDecoder().decode([String: Int].self, from: Data(line.utf8)) { return events = last }
            if line.hasPrefix("seed ") { violations.append(line) }
            FileHandle.standardOutput.write(Data((line + "\n").utf8))
        }
        return (violations, events)
    }

    private static func follow(_ output: FileHandle, _ take: (String) -> Void) {
        var rest = Data()
        while case let data = output.availableData, !data.isEmpty {
            rest += data
            while let end = rest.firstIndex(of: UInt8(ascii: "\n")) {
                take(String(decoding: rest[..<end], as: UTF8.self))
                rest = Data(rest[rest.index(after: end)...])
            }
        }
    }
}
