import Synchronization
import UsherAvailability
import UsherCore

/// The times that calendar files beside the catalogue close, by path and zone: `closed-by:`. They are read when the catalogue is put in
/// force, and computed once for each zone.
package final class Closures: Sendable {
    /// Reads a calendar's text: its events between two times, where times without a zone and whole days are meant in that zone.
    package typealias Reader = @Sendable (_ text: [UInt8], _ from: Instant, _ to: Instant, _ zone: String) -> [Interval]?

    private struct Key: Hashable {
        var path: String
        var zone: String
        /// Of the first day that is computed: days since 1970.
        var day: Int64
    }
    private struct State {
        var texts: [String: [UInt8]] = [:]
        var known: [Key: [Interval]] = [:]
    }
    private let state = Mutex(State())
    private let reader: Reader

    /// As far as slots are ever offered.
    private static let length = Duration.days(1_900)

    package init(_ reader: @escaping Reader = { _, _, _, _ in [] }) { self.reader = reader }

    /// Puts other files in the place of those before, by the paths as the catalogue writes them.
    package func put(_ texts: [String: [UInt8]]) { state.withLock { $0 = State(texts: texts) } }

    /// What a schedule's file closes, in order. A file that could not be read closes everything: unknown is not open.
    func intervals(_ schedule: Schedule, zone: String, now: Instant) -> [Interval] {
        guard let path = schedule.closedBy else { return [] }
        let key = Key(path: path, zone: zone, day: now.seconds / 86_400)
        if let known = state.withLock({ $0.known[key] }) { return known }
        let (from, to) = (Instant(seconds: (key.day - 2) * 86_400), Instant(seconds: key.day * 86_400) + Self.length)
        let read = state.withLock { $0.texts[path] }.flatMap { reader($0, from, to, zone) } ?? [Interval(from, to)]
        state.withLock { state in
            state.known = state.known.filter { $0.key.day == key.day }
            state.known[key] = read.united
        }
        return read.united
    }
}
