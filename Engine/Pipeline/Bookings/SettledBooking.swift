import UsherCore

extension BookingService {
    /// How long a change that another process has made may go unnoticed.
    private static let lookInterval = Duration.seconds(1)

    /// The booking once its meeting is not pending any more, or as it stands when the time is up.
    package func settled(_ id: String, within limit: Duration) async throws -> BookingView {
        let end = context.now + limit
        while true {
            // Before the look, so that no change falls between the two.
            let changes = context.changes.listen(to: id)
            let view = try await view(id)
            guard view.booking.meeting.status == .pending, context.now < end else { return view }
            let patience = min(Self.lookInterval, end - context.now)
            await withTaskGroup(of: Void.self) { group in
                group.addTask { for await _ in changes.prefix(1) {} }
                group.addTask { try? await Task.sleep(for: patience) }
                await group.next()
                group.cancelAll()
            }
        }
    }
}
