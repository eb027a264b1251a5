import Hummingbird
import NIOCore
import UsherCore
import UsherPipeline
import UsherStore

/// Books for an agent, which has read the page's Markdown and sends JSON.
struct BookAgent {
    let context: EngineContext
    let bookings: PageBookings
    let choices: RateLimiter

    func book(_ request: Request, _ offer: PageBookings.Offer) async throws -> Response {
        let (wanted, findings) = PageBookingRequest.read(try request.jsonObject(Array(buffer: try await request.wholeBody())))
        guard findings.isEmpty else {
            throw UsherError(.validationFailed, "The booking cannot be made as it is written.", findings: findings)
        }
        let visitor = VisitorMarks(context).newVisitor()
        guard choices.take(visitor.address).isAllowed else { throw UsherError(.rateLimited, "Too many times are asked for from here.") }
        do {
            let hold = try await bookings.hold(offer, start: wanted.start, duration: wanted.duration, visitor)
            return try await submit(wanted.form(offer, context.catalog.current.site), hold, visitor)
        } catch let error as UsherError {
            throw error.asOnThePage
        }
    }

    private func submit(_ form: PageForm, _ hold: StoredHold, _ visitor: PageBookings.Visitor) async throws -> Response {
        do {
            switch try await bookings.submit(form, hold, visitor) {
            case .mailed(let end):
                return Response.json(.accepted, ["status": "confirm-by-mail", "expiresAt": .string(end.rfc3339)])
            case .booked(let view):
                let booking = view.booking
                return Response.json(
                    .created,
                    [
                        "id": .string(booking.id), "start": .string(booking.start.rfc3339), "end": .string(booking.end.rfc3339),
                        "joinPage": .string(view.joinPage),
                    ])
            }
        } catch let error as UsherError {
            try? await HoldService(context).release(hold.id)  // nobody is at it any more, and it ends by itself
            throw error
        }
    }
}

extension UsherError {
    /// For somebody without a key: fields by their names on the page, and of a refused time no more than what is free near it.
    fileprivate var asOnThePage: UsherError {
        var error = self
        for (long, short) in [("/attendees/0/", "/"), ("/details/", "/")] {
            error.findings = error.findings.map { finding in
                guard finding.pointer.hasPrefix(long) else { return finding }
                return Finding(short + finding.pointer.dropFirst(long.count), finding.detail)
            }
        }
        guard [.bookingUnavailable, .bookingConflict].contains(code) else { return error }
        let times = nearest.map { JSON.string($0.rfc3339) }
        error.message = "This time is not free" + (times.isEmpty ? ", nor any near it." : ": 'nearest' says which ones near it are.")
        error.details = ["nearest": .array(times)]
        return error
    }
}
