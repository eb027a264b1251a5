import Foundation
import UsherCore
import UsherPipeline

/// Data to standard output, diagnostics to standard error.
enum Output {
    /// Where nobody reads any more there is nobody to tell of that either, and the work goes on.
    static func diagnostic(_ text: String) { try? FileHandle.standardError.write(contentsOf: Data((text + "\n").utf8)) }

    /// A line that is seen at once, in a pipe too.
    static func line(_ text: String) {
        print(text)
        fflush(nil)
    }

    static func problem(_ error: UsherError) {
        diagnostic("\(Terminal.errors.paint("error:", .bad)) \(error.message) [\(error.code.rawValue)]")
        for finding in error.findings { diagnostic("  \(finding.pointer): \(finding.detail)") }
    }

    static func json(_ value: JSON) { print(value.pretty) }

    /// - Parameter hasHeader: whether the first row names the columns.
    static func table(_ rows: [[String]], hasHeader: Bool = false) {
        let terminal = Terminal.output
        for line in TextTable(rows, hasHeader: hasHeader).lines(within: terminal.width, terminal.paint) { print(line) }
    }

    static func booking(_ view: BookingView) {
        let booking = view.booking
        print("\(booking.id)  \(booking.status.rawValue)  \(booking.title)")
        print("  when       \(booking.start.inZone(booking.terms.owner.timeZone)), \(booking.duration.inWords)")
        print("  provider   \(booking.meeting.provider), because \(booking.meeting.because.rawValue)")
        print("  meeting    \(Terminal.output.paint(booking.meeting.status.rawValue, .of(booking.meeting.status.rawValue)))")
        if booking.status == .confirmed, let room = booking.meeting.room {
            print("  join       \(room.joinURL)")
            if let passcode = room.passcode { print("  passcode   \(passcode)") }
            for number in room.dialIn { print("  phone      \(number.country) \(number.number)\(number.pin.map { ", PIN \($0)" } ?? "")") }
        }
        if let problem = booking.meeting.problem {
            print("  problem    \(problem.message) [\(problem.code.rawValue)]")
            print("  remedy     \(problem.remedy)")
        }
        for reader in booking.readers {
            guard let status = view.confirmation(of: reader)?.rawValue else { continue }
            print("  mail       \(status) to \(view.address(of: reader))")
        }
        print("  join page  \(view.joinPage)")
    }
}

extension Instant {
    /// As the clock in a zone shows it, and the offset that makes it exact: `2026-12-01T10:00:00+01:00`.
    func inZone(_ name: String) -> String {
        let zone = TimeZone(iana: name) ?? .gmt
        let date = Date(timeIntervalSince1970: Double(seconds))
        return date.formatted(
            Date.ISO8601FormatStyle(timeZone: zone).year().month().day().time(includingFractionalSeconds: false).timeZone(separator: .colon)
        )
    }
}
