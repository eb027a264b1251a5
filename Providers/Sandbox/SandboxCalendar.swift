import Synchronization
import UsherCore

/// An event that somebody else put into a calendar.
public struct SandboxEvent: Hashable, Sendable {
    /// Its own id.
    public var uid: String
    /// When it begins; of whole days, midnight UTC of the first.
    public var start: Instant
    /// When it ends; of whole days, midnight UTC of the one after the last.
    public var end: Instant
    /// Whether dates are meant, on whoever's wall.
    public var isWholeDay = false
    /// How often it takes place, a week apart.
    public var weeks: Int64 = 1
    /// It takes no time.
    public var isFree = false
    /// It does not take place.
    public var isCancelled = false
    /// The calendar's owner does not come.
    public var isDeclined = false

    /// One that takes its time once.
    public init(uid: String, start: Instant, end: Instant) {
        self.uid = uid
        self.start = start
        self.end = end
    }

    /// Each time that it takes place.
    var occurrences: [(start: Instant, end: Instant)] { (0..<weeks).map { (start + .days(7 * $0), end + .days(7 * $0)) } }

    /// As a file writes it (RFC 5545).
    /// - Parameter owner: the address of the calendar's owner.
    public func calendar(owner: String) -> String {
        func stamp(_ instant: Instant) -> String { instant.rfc3339.filter { $0 != "-" && $0 != ":" } }
        func time(_ name: String, _ instant: Instant) -> String {
            isWholeDay ? "\(name);VALUE=DATE:\(stamp(instant).prefix(8))" : "\(name):\(stamp(instant))"
        }
        var lines = [
            "BEGIN:VEVENT", "UID:\(uid)", "DTSTAMP:20260101T000000Z", time("DTSTART", start), time("DTEND", end), "SUMMARY:A secret",
        ]
        if weeks > 1 { lines.append("RRULE:FREQ=WEEKLY;COUNT=\(weeks)") }
        if isFree { lines.append("TRANSP:TRANSPARENT") }
        if isCancelled { lines.append("STATUS:CANCELLED") }
        if isDeclined { lines.append("ATTENDEE;PARTSTAT=DECLINED:mailto:\(owner)") }
        return (lines + ["END:VEVENT"]).joined(separator: "\r\n")
    }

    /// A whole file with these events.
    public static func file(_ events: [SandboxEvent], owner: String) -> String {
        (["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//Sandbox//EN", "X-WR-CALNAME:Ana"] + events.map { $0.calendar(owner: owner) } + [
            "END:VCALENDAR", "",
        ]).joined(separator: "\r\n")
    }
}

/// A stand-in for a publisher of calendar files: it knows entity tags (RFC 9110 §8.8.3), and nobody without the whole address.
public final class FeedSandbox: Transport {
    private struct State {
        var text: String
        var version = 1
        var isDown = false
        var reads = 0
    }
    private let state: Mutex<State>
    private let address: String

    /// - Parameter address: the whole of it, its secret part included.
    public init(_ text: String, at address: String) {
        self.address = address
        state = Mutex(State(text: text))
    }

    /// Publishes another text.
    public func publish(_ text: String) {
        state.withLock { state in
            state.text = text
            state.version += 1
        }
    }
    /// Answers nobody, or everybody again.
    public func setDown(_ isDown: Bool) { state.withLock { $0.isDown = isDown } }
    /// How often the file was handed out whole.
    public var reads: Int { state.withLock { $0.reads } }

    /// The file, or that it has not changed.
    public func send(_ request: HTTPRequest) async throws(TransportError) -> HTTPResponse {
        let answer: HTTPResponse? = state.withLock { state in
            guard !state.isDown else { return nil }
            guard request.method == "GET", request.url == address else { return HTTPResponse(status: 404) }
            let tag = "\"v\(state.version)\""
            if request.headers.contains(where: { $0.name == "If-None-Match" && $0.value == tag }) { return HTTPResponse(status: 304) }
            state.reads += 1
            return HTTPResponse(status: 200, headers: [("ETag", tag), ("Content-Type", "text/calendar")], body: Array(state.text.utf8))
        }
        guard let answer else { throw .notSent("Connection refused") }
        return answer
    }
}
