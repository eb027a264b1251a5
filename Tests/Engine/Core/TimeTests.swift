import Foundation
import Testing
import UsherCore

@Suite(.timeLimit(.minutes(1)))
struct TimeTests {
    @Test(
        "RFC 3339 is read as written, and nothing else is",
        arguments: [
            ("2026-12-01T10:00:00+01:00", "2026-12-01T09:00:00Z"), ("2026-12-01T10:00Z", "2026-12-01T10:00:00Z"),
            ("2024-02-29T23:59:59-11:30", "2024-03-01T11:29:59Z"), ("2026-12-01t10:00:00.250z", "2026-12-01T10:00:00Z"),
        ])
    func written(text: String, utc: String) {
        guard case .instant(let instant)? = WrittenTime(text) else {
            Issue.record("\(text) was not read")
            return
        }
        #expect(instant.rfc3339 == utc)
    }

    @Test(
        "impossible times are refused",
        arguments: [
            "2026-02-29T10:00Z", "2026-13-01T10:00Z", "2026-12-01T24:00Z", "2026-12-01", "tomorrow", "2026-12-01T10:00+25:00",
            "2026-12-01T10:00:00.Z",
        ])
    func impossible(text: String) { #expect(WrittenTime(text) == nil) }

    @Test("calendar days agree with Foundation's over four centuries")
    func calendar() {
        var calendar = Calendar(identifier: .gregorian)
        calendar.timeZone = .gmt
        for day in stride(from: -40_000, to: 110_000, by: 37) {
            let wall = WallTime(Instant(seconds: Int64(day) * 86_400 + 3_661), offsetSeconds: 0)
            let parts = calendar.dateComponents([.year, .month, .day], from: Date(timeIntervalSince1970: Double(day) * 86_400))
            #expect(wall.year == Int64(parts.year ?? 0) && wall.month == Int64(parts.month ?? 0) && wall.day == Int64(parts.day ?? 0))
            #expect(wall.asUTC.seconds == Int64(day) * 86_400 + 3_661)
        }
    }

    @Test("Lord Howe's half-hour gap and overlap are seen")
    func lordHowe() throws {
        let zone = try #require(TimeZone(iana: "Australia/Lord_Howe"))
        #expect(meaning("2026-10-04T02:15", zone) == .skipped)
        guard case .twice(let earlier, let later) = meaning("2027-04-04T01:45", zone) else {
            Issue.record("no overlap")
            return
        }
        #expect(later - earlier == .minutes(30))
    }

    private func meaning(_ text: String, _ zone: TimeZone) -> WallTimeMeaning? {
        guard case .wall(let wall)? = WrittenTime(text) else { return nil }
        return WallTimeMeaning(wall, in: zone)
    }

    @Test(
        "fixed offsets are no zones, UTC is one",
        arguments: [("GMT+5", false), ("UTC", true), ("Europe/Berlin", true), ("", false), ("Z", false), ("UTC+1", false)])
    func zones(name: String, isZone: Bool) { #expect((TimeZone(iana: name) != nil) == isZone) }

    @Test(
        "durations are read as people write them",
        arguments: [("90s", 90), ("15m", 900), ("1h30m", 5_400), ("1d", 86_400), ("PT30M", 1_800), ("P1DT2H", 93_600)] as [(String, Int64)])
    func durations(text: String, seconds: Int64) { #expect(Duration(written: text) == .seconds(seconds)) }

    @Test("other durations are refused", arguments: ["30", "m", "0m", "-5m", "1m1h", "PT", "P30M", "1.5h", "99999999999h"])
    func noDurations(text: String) { #expect(Duration(written: text) == nil) }
}
