import Foundation
import Simulation

// usher-simulate 7 | usher-simulate 1-50000: replays a seed, or runs a range of them; ends with 1 where something is wrong.
let named = (CommandLine.arguments.dropFirst().first ?? "").split(separator: "-").compactMap { UInt64($0) }
guard let first = named.first, let last = named.last, first <= last else {
    FileHandle.standardError.write(Data("Usage: usher-simulate SEED | FIRST-LAST\n".utf8))
    exit(2)
}
let began = ContinuousClock.now
let report = Runs.run(first...last)
let seconds = (ContinuousClock.now - began) / .seconds(1)
print("simulated:", report.events.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value)" }.joined(separator: ", "))
print(
    "\(last - first + 1) seeds, \(report.violations.count) violations, \((Double(last - first + 1) / seconds).formatted()) seeds a second")
exit(report.violations.isEmpty ? 0 : 1)
