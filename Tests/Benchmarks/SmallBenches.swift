import Foundation
import UsherCore

/// A catalogue of 10,000 meeting types, checked in less CPU than PyYAML's C loader takes to load it.
enum CatalogueBench {
    static func run() throws {
        let folder = try Rig.newFolder()
        let path = folder + "/large.yaml"
        try large().write(toFile: path, atomically: true, encoding: .utf8)
        var (ours, theirs): ([Double], [Double]) = ([], [])
        for _ in 0..<Bench.rounds {
            ours.append(try cpu(Rig.products + "/usher", ["check", path]))
            theirs.append(
                try cpu("/usr/bin/python3", ["-c", "import sys, yaml; yaml.load(open(sys.argv[1]), Loader=yaml.CSafeLoader)", path]))
        }
        let size = try FileManager.default.attributesOfItem(atPath: path)[.size] as? NSNumber
        print("10,000 types, \(Bench.text((size?.doubleValue ?? 0) / 1_048_576, 1)) MB")
        print(
            "usher check: \(Bench.text(Bench.median(ours) * 1_000, 0)) ms CPU; PyYAML with libyaml: \(Bench.text(Bench.median(theirs) * 1_000, 0)) ms"
        )
        print("ratio: \(Bench.text(Bench.median(ours) / Bench.median(theirs))) (below 1)")
        try FileManager.default.removeItem(atPath: folder)
    }

    private static func large() -> String {
        let types = (0..<10_000).map { number in
            """
              type-\(number):
                title: "Consultation number \(number) with {owner.name}"
                description: "Thirty minutes, by video, about matter number \(number)."
                durations: [30m, 45m, 1h30m]
                provider: owner-default
                fallback: [room]
                provision: on-confirmation
                meeting: { passcode: inherit, waiting-room: inherit, join-before-host: inherit }
                reminders: [1d, 15m]
                email: { intro: "Please have your insurance card at hand." }
            """
        }
        return Rig.catalog.split(separator: "\n").dropLast().joined(separator: "\n")
            .replacing(
                "{ campus: { module: zoom-s2s } }",
                with: "{ campus: { module: zoom-s2s }, room: { module: link, url: \"https://a.example/{code}\" } }")
            + "\nmeeting-types:\n" + types.joined(separator: "\n") + "\n"
    }

    /// User and system time of a program, in seconds.
    private static func cpu(_ program: String, _ arguments: [String]) throws -> Double {
        func spent() -> Double {
            var usage = rusage()
            getrusage(RUSAGE_CHILDREN.rawValue, &usage)
            return Double(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) + Double(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec)
                / 1_000_000
        }
        let before = spent()
        let process = Process()
        process.executableURL = URL(fileURLWithPath: program)
        process.arguments = arguments
        process.standardOutput = FileHandle.nullDevice
        process.standardError = FileHandle.nullDevice
        try process.run()
        process.waitUntilExit()
        guard process.terminationStatus == 0 else { throw UsherError(.internalError, "\(program) ended with \(process.terminationStatus)") }
        return spent() - before
    }
}

/// Resident memory of the server, idle and with 10,000 bookings waiting.
enum MemoryBench {
    static func run() async throws {
        let rig = try await Rig(folder: try Rig.newFolder(), workers: 0)
        try await Task.sleep(for: .seconds(1))
        print("resident, idle: \(Bench.text(try rig.memory(), 0)) MiB")
        try await rig.book(10_000, callers: 32)
        print("resident, 10,000 bookings waiting: \(Bench.text(try rig.memory(), 0)) MiB")
        await rig.stop()
    }
}
