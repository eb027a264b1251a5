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
    /// Where the first attendee moves and cancels.
    package var managePage: String

    init(_ booking: Booking, _ context: EngineContext, _ tx: Tx) throws {
        self.booking = booking
        let (links, urls) = (try tx.links(of: booking.id), Links(context))
        mails = try tx.mails(of: booking.id)
        joinPage = try urls.url(.join, .attendee(0), booking.id, links)
        managePage = try urls.url(.manage, .attendee(0), booking.id, links)
    }

    /// `queued`, `sent` or `failed`, of the newest mail to that reader; `nil` where the booking was cancelled before they had heard
    /// of it: then they are owed none.
    package func confirmation(of reader: Reader) -> String? {
        switch newest(reader)?.state {
        case .sent: "sent"
        case .failed: "failed"
        case .queued, .sending: "queued"
        case .dropped, nil: booking.status == .cancelled && !wasTold(reader) ? nil : "queued"
        }
    }

    /// Why the newest mail to that reader was refused, in the mail system's words.
    package func refusal(of reader: Reader) -> String? { newest(reader).flatMap { $0.state == .failed ? $0.problem : nil } }

    private func wasTold(_ reader: Reader) -> Bool { mails.contains { $0.reader == reader && $0.isRevisionMail && $0.reachedReader } }

    private func newest(_ reader: Reader) -> OutboxMail? {
        mails.last { $0.reader == reader && $0.isRevisionMail && $0.state != .dropped }
    }

    /// A reader's mail address.
    package func address(of reader: Reader) -> String {
        switch reader {
        case .owner: booking.terms.owner.email
        case .attendee(let index): booking.attendees[index].email
        }
    }

    /// The booking object of the API.
    /// - Parameter isShown: whether the manage page is in it: whoever has its address can move and cancel.
    package func json(showsManagePage isShown: Bool) -> JSON {
        let terms = booking.terms
        return [
            "id": .string(booking.id), "status": .string(booking.status.rawValue), "revision": .int(booking.revision),
            "meetingType": .string(terms.type.id), "title": .string(booking.title),
            "owner": ["id": .string(terms.owner.id), "name": .string(terms.owner.name)],
            "start": .string(booking.start.rfc3339), "end": .string(booking.end.rfc3339), "timeZone": .string(booking.timeZone),
            "attendees": .array(
                booking.attendees.map {
                    [
                        "name": .string($0.name), "email": .string($0.email), "timeZone": .string($0.timeZone),
                        "language": .string($0.language),
                    ]
                }),
            "provider": [
                "name": .string(booking.meeting.provider), "module": .string(booking.meeting.module),
                "because": .string(booking.meeting.because.rawValue),
            ],
            "meeting": meeting,
            "confirmations": .array(
                booking.readers.compactMap { reader in
                    guard let status = confirmation(of: reader) else { return nil }
                    var members = [
                        JSON.Member("to", .string(address(of: reader))), JSON.Member("role", reader == .owner ? "owner" : "attendee"),
                        JSON.Member("status", .string(status)),
                    ]
                    if let reason = refusal(of: reader) { members.append(JSON.Member("problem", .string(reason))) }
                    return .object(members)
                }),
            "joinPage": .string(joinPage), "managePage": isShown ? .string(managePage) : .null, "note": .string(booking.note),
            "metadata": JSON(booking.metadata), "source": .string(booking.source), "createdAt": .string(booking.createdAt.rfc3339),
        ]
    }

    private var meeting: JSON {
        let room = booking.status == .cancelled ? nil : booking.meeting.room
        let dialIn = room?.dialIn.map { number -> JSON in
            ["country": .string(number.country), "number": .string(number.number), "pin": JSON(number.pin)]
        }
        return [
            "status": .string(booking.meeting.status.rawValue), "joinUrl": JSON(room?.joinURL),
            "meetingId": JSON(room.flatMap { $0.meetingID.isEmpty ? nil : $0.meetingID }),
            "passcode": JSON(room?.passcode), "dialIn": .array(dialIn ?? []), "problem": booking.meeting.problem?.json ?? .null,
        ]
    }
}
