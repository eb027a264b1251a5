import UsherCore

/// From a booking's acceptance to the moment at which the mail system has taken the last of its mails, one booking at a time.
enum LatencyBench {
    private static let bookings = 150

    /// One figure, to alternate with that of another build.
    static func once() async throws {
        let rig = try await Rig(folder: try Rig.newFolder(), workers: 32)
        try await rig.book(20, callers: 1)
        var ids: [String] = []
        for number in 0..<bookings {
            ids.append(try await rig.book(number: 1_000 + number))
            try await Task.sleep(for: .milliseconds(40))
        }
        try await rig.settle()
        let times = try await rig.timesToMails(ids)
        await rig.stop()
        print("accepted to both mails taken, p50: \(Bench.text(Bench.median(times), 2)) ms")
    }
}
