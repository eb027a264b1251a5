import Foundation
import Synchronization

/// Many runs, one on each core.
package enum Runs {
    package struct Report: Sendable {
        package init() {}
        /// `seed 7: …`
        package var violations: [String] = []
        /// How often what happened.
        package var events: [String: Int] = [:]
    }

    /// Runs each seed, on as many threads; a line is printed for each violation as it is found.
    package static func run(_ seeds: [UInt64], threads: Int = 2) -> Report {
        let report = Mutex(Report())
        let left = Mutex(seeds[...])
        DispatchQueue.concurrentPerform(iterations: threads) { _ in
            let world: World
            do { world = try World() } catch {
                report.withLock { $0.violations.append("no world could be made: \(error)") }
                return
            }
            while let seed = left.withLock({ $0.popFirst() }) { add(seed, in: world, to: report) }
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
