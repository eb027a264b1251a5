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
        diagnostic("error: \(error.message) [\(error.code.rawValue)]")
        for finding in error.findings { diagnostic("  \(finding.pointer): \(finding.detail)") }
    }

    static func json(_ value: JSON) { print(value.pretty) }

    /// Rows in columns, the widths those of the widest cell.
    static func table(_ rows: [[String]]) {
        guard let first = rows.first else { return }
        let widths = first.indices.map { column in rows.map { column < $0.count ? $0[column].count : 0 }.max() ?? 0 }
        for row in rows {
            let cells = row.enumerated().map {
                $0.offset == row.count - 1 ? $0.element : $0.element.padding(toLength: widths[$0.offset], withPad: " ", startingAt: 0)
            }
            print(cells.joined(separator: "  "))
        }
    }

    static func booking(_ view: BookingView) {
        let booking = view.booking
        print("\(booking.id)  \(booking.status.rawValue)  \(booking.title)")
        print("  when       \(booking.start.inZone(booking.terms.owner.timeZone)), \(booking.duration.inWords)")
        print("  provider   \(booking.meeting.provider), because \(booking.meeting.because.rawValue)")
        print("  meeting    \(booking.meeting.status.rawValue)")
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
