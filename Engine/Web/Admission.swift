import Hummingbird
import Synchronization
import UsherCore

/// How many requests are worked on at the same time. More are told at once to come again, before the server drowns in them.
struct Admission: RouterMiddleware {
    typealias Context = BasicRequestContext

    private let places: Places

    /// - Parameter limit: enough to keep the database's group commits full; what is beyond only waits in a queue.
    init(limit: Int) { places = Places(limit) }

    @TaskLocal private static var place: Place?

    func handle(
        _ request: Request, context: BasicRequestContext, next: (Request, BasicRequestContext) async throws -> Response
    ) async throws -> Response {
        // Whoever watches over the server must hear from it, then above all.
        if request.uri.path.hasPrefix("/health/") || request.uri.path == "/metrics" { return try await next(request, context) }
        guard let place = places.take() else {
            throw UsherError(.overloaded, "Too much is going on here just now. Try again in a few seconds.")
        }
        defer { place.leave() }
        return try await Self.$place.withValue(place) { try await next(request, context) }
    }

    /// Gives the place up for a caller who only waits from here on.
    static func waiting<Result>(_ body: () async throws -> Result) async rethrows -> Result {
        place?.leave()
        return try await body()
    }
}

private final class Places: Sendable {
    private let left: Mutex<Int>
    init(_ limit: Int) { left = Mutex(limit) }

    func take() -> Place? {
        let isFree = left.withLock { left in
            guard left > 0 else { return false }
            left -= 1
            return true
        }
        return isFree ? Place(self) : nil
    }
    fileprivate func give() { left.withLock { $0 += 1 } }
}

private final class Place: Sendable {
    private let places: Places
    private let isTaken = Mutex(true)
    fileprivate init(_ places: Places) { self.places = places }

    /// The place is free; a second time changes nothing.
    func leave() {
        let wasTaken = isTaken.withLock { isTaken in
            defer { isTaken = false }
            return isTaken
        }
        if wasTaken { places.give() }
    }
}
