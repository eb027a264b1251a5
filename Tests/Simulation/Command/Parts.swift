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

/// A range of seeds in several processes, one on each core: in one process they would wait for each other at SQLite's memory, whose
/// statistics are kept under a lock. Source: https://www.sqlite.org/malloc.html, "Memory statistics"
enum Parts {
    static func run(_ seeds: ClosedRange<UInt64>) throws -> Runs.Report {
        let count = UInt64(max(1, min(ProcessInfo.processInfo.activeProcessorCount, seeds.count)))
        let parts = try (0..<count).map { try start("\(seeds.lowerBound + $0)-\(seeds.upperBound)/\(count)") }
        let report = Mutex(Runs.Report())
        DispatchQueue.concurrentPerform(iterations: parts.count) { index in
            let (process, output) = parts[index]
            let part = collect(output)
            process.waitUntilExit()
            report.withLock { report in
                report.violations += part.violations
                report.events.merge(part.events ?? [:], uniquingKeysWith: +)
                // One that died, or could not begin, has said nothing of seeds that it never ran.
                let ended = process.terminationReason == .exit ? process.terminationStatus : -1
                guard part.events == nil || ended != (part.violations.isEmpty ? 0 : 1) else { return }
                let violation = "a process of the runs ended with \(process.terminationStatus) and did not finish its seeds"
                report.violations.append(violation)
                print(violation)
            }
        }
        return report.withLock { $0 }
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
