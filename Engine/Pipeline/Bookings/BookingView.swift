import UsherCore
import UsherStore

/// A booking as the API, the CLI and the pages show it.
package struct BookingView: Sendable {
    /// The booking.
    package var booking: Booking
    /// Its mails, in the order in which they were written.
    package var mails: [OutboxMail]
    /// The first attendee's.
    package var joinPage: String
    /// Where the first attendee moves and cancels; `nil` where that is not shown.
    package var managePage: String?

    init(_ booking: Booking, _ context: EngineContext, _ tx: Tx) throws {
        self.booking = booking
        let links = Links(context)
        mails = try tx.mails(of: booking.id)
        joinPage = try links.url(.join, .attendee(0), booking, tx)
        managePage = try links.url(.manage, .attendee(0), booking, tx)
    }

    /// Of the newest mail to that reader; `nil` where the booking was cancelled before they had heard
    /// of it: then they are owed none.
    package func confirmation(of reader: Reader) -> ConfirmationStatus? {
        switch newest(reader)?.state {
        case .sent: .sent
        case .failed: .failed
        case .queued, .sending: .queued
        case .dropped, nil: booking.status == .cancelled && !wasTold(reader) ? nil : .queued
        }
    }

    /// Why the newest mail to that reader was refused, in the mail system's words.
    package func refusal(of reader: Reader) -> String? { newest(reader).flatMap { $0.state == .failed ? $0.problem : nil } }

    private func wasTold(_ reader: Reader) -> Bool { mails.contains { $0.reader == reader && $0.isRevisionMail && $0.reachedReader } }

    private func newest(_ reader: Reader) -> OutboxMail? {
        mails.last { $0.reader == reader && $0.isRevisionMail && $0.state != .dropped }
    }

    /// A reader's mail address.
    package func address(of reader: Reader) -> String { booking.address(of: reader) }

    /// The same for somebody who may not move and cancel: whoever has the manage page's address can do both.
    package func withoutManagePage() -> BookingView {
        var view = self
        view.managePage = nil
        return view
    }

    /// What became of telling one reader.
    fileprivate struct Confirmation {
        var to: String
        var role: Role
        var status: ConfirmationStatus
        var problem: String?
    }

    fileprivate var confirmations: [Confirmation] {
        booking.readers.compactMap { reader in
            confirmation(of: reader).map {
                Confirmation(
                    to: address(of: reader), role: reader == .owner ? .owner : .attendee, status: $0, problem: refusal(of: reader))
            }
        }
    }

    fileprivate enum Role: String, JSONChoice { case attendee, owner }
}

/// How far the newest mail to a reader has come.
package enum ConfirmationStatus: String, JSONChoice { case queued, sent, failed }

// MARK: As the API shows it

extension BookingView: JSONObject {
    /// As generated clients know it.
    package static let schemaName = "Booking"

    /// All of a booking.
    package static let fields: [JSONField<BookingView>] =
        [
            .init("id", "Of the booking, for ever.") { $0.booking.id }, .init("status", "Whether it takes place.") { $0.booking.status },
            .init("revision", "Raised by every change that is mailed to readers.", [.init("minimum", 1)]) { $0.booking.revision },
            .init("meetingType", "Its id in meeting-types.yaml.") { $0.booking.terms.type.id },
            .init("title", "The meeting's title, placeholders filled.") { $0.booking.title },
            .group(
                "owner", "Who hosts it.",
                [
                    .init("id", "Of the owner.") { $0.booking.terms.owner.id },
                    .init("name", "As it was when the booking was made.") { $0.booking.terms.owner.name },
                    .init("because", "pool: whose turn it was among the hosts of the meeting type.") { $0.booking.ownerBecause },
                ]),
            .init("start", "When it begins.") { $0.booking.start }, .init("end", "When it ends.") { $0.booking.end },
            .init("timeZone", "The zone in which it was booked, an IANA name.") { $0.booking.timeZone },
            .init("attendees", "Who is invited, in the order of the request.") { $0.booking.attendees },
            .group(
                "provider", "Where the room is, and why there.",
                [
                    .init("name", "As meeting-types.yaml names it.") { $0.booking.meeting.provider },
                    .init("module", "What makes its rooms.") { $0.booking.meeting.module },
                    .init("because", "The rule that named it.") { $0.booking.meeting.because },
                ]),
            .init("meeting", "The room.") { ShownMeeting(booking: $0.booking) },
            .init(
                "confirmations",
                "Of each reader the newest mail. Who had heard nothing of a booking when it was cancelled is owed none, and is not among them."
            ) { $0.confirmations },
            .init("joinPage", "The first attendee's.", .uri) { $0.joinPage },
            .init("managePage", "A capability: null for keys without bookings:write.") { $0.managePage },
        ] + BookingDetails.fields.map { $0.of { $0.booking.details } } + [.init("createdAt", "When it was made.") { $0.booking.createdAt }]
}

/// The room of a booking; a cancelled one has none.
private struct ShownMeeting: JSONObject {
    var booking: Booking

    private var room: Room? { booking.status == .cancelled ? nil : booking.meeting.room }

    static let schemaName = "Meeting"
    static let fields: [JSONField<ShownMeeting>] = [
        .init("status", "blocked: a person must act, and then it resumes by itself. failed: only a retry or healing helps.") {
            $0.booking.meeting.status
        },
        .init("joinUrl", "Leads into the room; null while there is none.") { $0.room?.joinURL },
        .init("meetingId", "To type in or read out; null where the provider has none.") {
            $0.room.flatMap { $0.meetingID.isEmpty ? nil : $0.meetingID }
        },
        .init("passcode", "Asked for at the door; null where there is none.") { $0.room?.passcode },
        .init("dialIn", "Telephone numbers; empty where there are none.") { $0.room?.dialIn ?? [] },
        .init("problem", "What is wrong and how to mend it; null while nothing is.") { $0.booking.meeting.problem },
    ]
}

extension BookingView.Confirmation: JSONObject {
    static let schemaName = "Confirmation"
    static let fields: [JSONField<BookingView.Confirmation>] = [
        .init("to", "The reader's address.") { $0.to }, .init("role", "Who reads it.") { $0.role },
        .init("status", "How far the newest mail to this reader has come.") { $0.status },
        .ifPresent("problem", "Why the mail was refused, in the mail system's words.") { $0.problem },
    ]
}

extension Booking {
    /// A reader's mail address.
    func address(of reader: Reader) -> String {
        switch reader {
        case .owner: terms.owner.email
        case .attendee(let index): attendees[index].email
        }
    }
}
