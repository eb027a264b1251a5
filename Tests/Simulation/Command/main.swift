import Foundation
import Simulation

// usher-simulate 7 | usher-simulate 1-50000: replays a seed, or runs a range of them; ends with 1 where something is wrong.
// usher-simulate 1-50000/2: every second of them, in this process, with the events as JSON at the end.
guard let wanted = SeedRange(CommandLine.arguments.dropFirst().first ?? "") else {
    FileHandle.standardError.write(Data("Usage: usher-simulate SEED | FIRST-LAST | FIRST-LAST/STEP\n".utf8))
    exit(2)
}
if wanted.step > 0 {
    let report = Runs.run(Array(stride(from: wanted.first, through: wanted.last, by: Int(wanted.step))), threads: 1)
    print(String(decoding: try JSONEncoder().encode(report.events), as: UTF8.self))
    exit(report.violations.isEmpty ? 0 : 1)
}
let began = ContinuousClock.now
let report = try Parts.run(wanted.first...wanted.last)
let rate = Double(wanted.last - wanted.first + 1) / ((ContinuousClock.now - began) / .seconds(1))
print("simulated:", report.events.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value)" }.joined(separator: ", "))
print("\(wanted.last - wanted.first + 1) seeds, \(report.violations.count) violations, \(rate.formatted()) seeds a second")
exit(report.violations.isEmpty ? 0 : 1)
