import Foundation
import Synchronization

/// Many runs, one on each core.
package enum Runs {
    package struct Report: Sendable {
        /// `seed 7: …`
        package var violations: [String] = []
        /// How often what happened.
        package var events: [String: Int] = [:]
    }

    /// Runs each seed; a line is printed for each violation as it is found.
    package static func run(_ seeds: ClosedRange<UInt64>, threads: Int = 2) -> Report {
        let report = Mutex(Report())
        let next = Mutex(seeds.lowerBound)
        DispatchQueue.concurrentPerform(iterations: threads) { _ in
            let world: World
            do { world = try World() } catch {
                report.withLock { $0.violations.append("no world could be made: \(error)") }
                return
            }
            while true {
                let seed = next.withLock { next in
                    defer { next += 1 }
                    return next
                }
                guard seed <= seeds.upperBound else { return }
                add(seed, in: world, to: report)
            }
        }
        return report.withLock { $0 }
    }

    private static func add(_ seed: UInt64, in world: World, to report: borrowing Mutex<Report>) {
        let outcome: SimulatedRun.Outcome
        do { outcome = try SimulatedRun(seed: seed, in: world).run() } catch {
            outcome = .init(violations: ["the run failed: \(error)"], events: [])
        }
        let violations = outcome.violations.map { "seed \(seed): \($0)" }
        // Whoever reads along sees each as it is found.
        for violation in violations { FileHandle.standardOutput.write(Data((violation + "\n").utf8)) }
        report.withLock { report in
            report.violations += violations
            for event in outcome.events { report.events[event, default: 0] += 1 }
        }
    }
}
