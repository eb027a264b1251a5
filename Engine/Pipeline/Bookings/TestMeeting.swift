import UsherCore
import UsherMail
import UsherStore

extension BookingService {
    private static func testType(_ language: String) -> MeetingType {
        let words = OwnerWords(language)
        return MeetingType(
            id: Booking.testTypeID, title: words(.testTitle), description: words(.testAbout), durations: [.minutes(15)],
            overlapAllowed: true)
    }
    /// From the press to the start.
    private static let testDelay = Duration.minutes(10)
    package static let testSource = "test-meeting"

    /// Books a meeting of the owner with themselves, which goes the way of every other: room, mails and all.
    package func bookTest(owner id: String, provider: String) async throws -> BookingView {
        let owner = try await OwnerService(context).owner(id).owner
        let now = context.catalog.current
        let catalog = Catalog(
            site: now.site, providers: now.providers, owners: now.owners, meetingTypes: now.meetingTypes + [Self.testType(owner.language)])
        let step: Int64 = 5 * 60
        let start = Instant(seconds: ((context.now + Self.testDelay).seconds / step + 1) * step)
        // A second press means the same meeting.
        var present = Filter()
        (present.owner, present.status, present.from, present.to) = (id, .confirmed, start, start + .seconds(1))
        if let made = try await page(present, after: nil, limit: 10).views.first(where: {
            $0.booking.details.source == Self.testSource && $0.booking.meeting.provider == provider
        }) {
            return made
        }
        let request = BookingRequest(
            meetingType: Booking.testTypeID, owner: id, start: start.rfc3339, timeZone: owner.timeZone,
            attendees: [.init(name: owner.name, email: owner.email, timeZone: owner.timeZone, language: owner.language)],
            provider: provider, details: BookingDetails(source: Self.testSource))
        // Presses at the same moment, at two servers perhaps, are one call.
        let press = IdempotencyKey(scope: Self.testSource, key: "\(id) \(provider) \(start.rfc3339)", fingerprint: "")
        let made = try await book(request, in: catalog, repeating: press).value
        // One that was taken away meanwhile is another matter.
        return made.booking.status == .confirmed ? made : try await book(request, in: catalog).value
    }
}

/// Takes a test meeting away once it is over, room and all; nobody is mailed of that.
struct EndTest {
    private let context: EngineContext

    init(_ context: EngineContext) { self.context = context }

    func prepare(_ id: String, _ claim: Claim, _ step: StepTransaction) throws -> Effect? {
        guard var booking = try step.tx.wholeBooking(id), booking.isTest, booking.status == .confirmed else {
            return try step.finish(claim)
        }
        booking.status = .cancelled
        booking.meeting.status = .cancelled
        booking.meeting.problem = nil
        try context.update(booking, step.tx)
        try step.tx.removeNotice(.booking(id))
        step.tx.note(id, "booking.cancelled", "the test is over", at: step.now)
        try step.followUp(.roomsTouched(booking, newest: try step.tx.rooms(of: id).last))
        return try step.finish(claim)
    }
}
