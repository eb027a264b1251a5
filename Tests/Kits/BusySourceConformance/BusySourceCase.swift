import ProviderSandbox
import UsherCore

/// A source of busy times, with a calendar at its service that the kit may fill.
public struct BusySourceSubject: Sendable {
    /// The source.
    public var source: any BusySource.Type
    /// What it is asked with.
    public var context: @Sendable () async throws -> BusyContext
    /// The same with credentials that the service refuses; `nil` where there is no such thing.
    public var badContext: (@Sendable () async throws -> BusyContext)?
    /// Puts an event into the calendar, or another one in its place.
    public var put: @Sendable (SandboxEvent) async throws -> Void
    /// Takes an event out.
    public var takeOut: @Sendable (_ uid: String) async throws -> Void
    /// What the service has sent to those who are told of changes, and does not send again; `nil` where it tells nobody.
    public var notifications: (@Sendable () async throws -> [HTTPRequest])?

    /// Takes each property as it is.
    public init(
        source: any BusySource.Type, context: @escaping @Sendable () async throws -> BusyContext,
        badContext: (@Sendable () async throws -> BusyContext)? = nil, put: @escaping @Sendable (SandboxEvent) async throws -> Void,
        takeOut: @escaping @Sendable (String) async throws -> Void,
        notifications: (@Sendable () async throws -> [HTTPRequest])? = nil
    ) {
        self.source = source
        self.context = context
        self.badContext = badContext
        self.put = put
        self.takeOut = takeOut
        self.notifications = notifications
    }

    /// The calendar's owner.
    public static let owner = "ana@northwind.example"
    static let monday = Instant(seconds: 1_796_637_600)
    static let from = monday - .days(14)
    static let to = monday + .days(120)

    /// 10:00 UTC of a Monday, and one hour.
    func event(_ uid: String, days: Int64 = 0) -> SandboxEvent {
        SandboxEvent(uid: uid, start: Self.monday + .days(days), end: Self.monday + .days(days) + .hours(1))
    }

    func question(_ calendar: String, mark: String? = nil) -> BusyQuestion {
        BusyQuestion(
            calendar: calendar, from: Self.from, to: Self.to, timeZone: "Europe/Madrid", addresses: [Self.owner], mark: mark)
    }

    /// As the engine would take it.
    func delivery(_ request: HTTPRequest) -> EventDelivery {
        let query = request.url.split(separator: "?", maxSplits: 1).dropFirst().first.map(String.init) ?? ""
        return EventDelivery(
            headers: request.headers.map { ($0.name, $0.value) }, query: query, body: request.body, now: Environment.system.now())
    }

    /// The calendar that counts.
    func calendar() async throws -> String {
        let found = try await source.calendars(try await context())
        guard let first = found.first(where: \.counts) else { throw BusySourceFailure("no calendar counts: \(found)") }
        return first.id
    }

    /// What it says now, in order.
    func busy() async throws -> [BusyEvent] {
        let calendar = try await calendar()
        guard case .events(let events, _, _) = try await source.busy(question(calendar), try await context()) else {
            throw BusySourceFailure("'unchanged', although no mark was given")
        }
        return events.sorted { $0.start < $1.start }
    }
}

/// A promise that is not kept.
public struct BusySourceFailure: Error, CustomStringConvertible {
    /// What is wrong.
    public var description: String
    init(_ description: String) { self.description = description }
}

func require(_ condition: Bool, _ message: @autoclosure () -> String) throws {
    if !condition { throw BusySourceFailure(message()) }
}

/// One promise of ``BusySource``. The kit needs no test framework.
public struct BusySourceCase: Sendable, CustomStringConvertible {
    /// What is promised, as a sentence.
    public var name: String
    /// Tries it.
    /// - Throws: ``BusySourceFailure``, or what the source threw.
    public var run: @Sendable (BusySourceSubject) async throws -> Void
    /// ``name``
    public var description: String { name }

    init(_ name: String, run: @escaping @Sendable (BusySourceSubject) async throws -> Void) {
        self.name = name
        self.run = run
    }

    /// Every promise.
    public static let all: [BusySourceCase] = [
        BusySourceCase("the descriptor can stand in an address, and its calendars are looked at often enough") { subject in
            let descriptor = subject.source.descriptor
            try require(descriptor.kind.wholeMatch(of: /[a-z][a-z0-9-]{0,31}/) != nil, "the kind '\(descriptor.kind)' cannot be written")
            try require(!descriptor.name.isEmpty, "the source has no name for people")
            try require((Duration.minutes(1)...Duration.hours(1)).contains(descriptor.interval), "every \(descriptor.interval)")
        },
        BusySourceCase("calendars have ids that are their own, and stay") { subject in
            let first = try await subject.source.calendars(try await subject.context())
            let again = try await subject.source.calendars(try await subject.context())
            try require(!first.isEmpty && Set(first.map(\.id)).count == first.count, "\(first)")
            try require(Set(first.map(\.id)) == Set(again.map(\.id)), "\(first), then \(again)")
        },
        BusySourceCase("an event makes busy for its time, under its own id") { subject in
            try await subject.put(subject.event("one@elsewhere.example"))
            let busy = try await subject.busy()
            let wanted = BusyEvent(
                start: BusySourceSubject.monday, end: BusySourceSubject.monday + .hours(1), uid: "one@elsewhere.example")
            try require(busy == [wanted], "\(busy)")
        },
        BusySourceCase("each occurrence of a series makes busy by itself") { subject in
            var event = subject.event("week@elsewhere.example")
            event.weeks = 3
            try await subject.put(event)
            let starts = try await subject.busy().map(\.start)
            try require(starts == (0..<3).map { BusySourceSubject.monday + .days(7 * $0) }, "\(starts)")
        },
        BusySourceCase("a whole day is a day on the owner's wall") { subject in
            let day = Instant(seconds: BusySourceSubject.monday.seconds / 86_400 * 86_400)
            var event = SandboxEvent(uid: "day@elsewhere.example", start: day, end: day + .days(1))
            event.isWholeDay = true
            try await subject.put(event)
            let busy = try await subject.busy()
            // Madrid is an hour ahead in December.
            try require(busy.map(\.start) == [day - .hours(1)] && busy.map(\.end) == [day + .hours(23)], "\(busy)")
        },
        BusySourceCase("what is transparent, cancelled or declined takes no time") { subject in
            var (free, cancelled, declined) = (
                subject.event("free@x.example"), subject.event("off@x.example"), subject.event("no@x.example")
            )
            (free.isFree, cancelled.isCancelled, declined.isDeclined) = (true, true, true)
            for event in [free, cancelled, declined] { try await subject.put(event) }
            let busy = try await subject.busy()
            try require(busy.isEmpty, "\(busy)")
        },
        BusySourceCase("what lies outside of the time asked for is left out, and what reaches into it is not") { subject in
            try await subject.put(subject.event("before@x.example", days: -30))
            try await subject.put(subject.event("after@x.example", days: 300))
            try await subject.put(
                SandboxEvent(uid: "edge@x.example", start: BusySourceSubject.from - .hours(1), end: BusySourceSubject.from + .hours(1)))
            let busy = try await subject.busy()
            try require(busy.map(\.uid) == ["edge@x.example"], "\(busy)")
        },
        BusySourceCase("what was taken out is gone at the next reading, and what was moved has moved") { subject in
            try await subject.put(subject.event("one@x.example"))
            try await subject.put(subject.event("two@x.example", days: 1))
            _ = try await subject.busy()
            try await subject.takeOut("one@x.example")
            try await subject.put(subject.event("two@x.example", days: 2))
            let starts = try await subject.busy().map(\.start)
            try require(starts == [BusySourceSubject.monday + .days(2)], "\(starts)")
        },
        BusySourceCase("with a mark, 'unchanged' is answered only where nothing has changed") { subject in
            try await subject.put(subject.event("one@x.example"))
            let calendar = try await subject.calendar()
            func ask(_ mark: String?) async throws -> BusyAnswer {
                try await subject.source.busy(subject.question(calendar, mark: mark), try await subject.context())
            }
            guard case .events(_, let mark?, _) = try await ask(nil) else { return }
            switch try await ask(mark) {
            case .unchanged: break
            case .events(let events, _, _): try require(events.count == 1, "\(events)")
            }
            try await subject.put(subject.event("two@x.example", days: 1))
            guard case .events(let events, _, _) = try await ask(mark) else { throw BusySourceFailure("a change was not noticed") }
            try require(events.count == 2, "\(events)")
        },
        BusySourceCase("a service that tells of changes brings the token along, and tells no longer when it was asked not to") { subject in
            guard let notifications = subject.notifications, let source = subject.source as? any NotifyingBusySource.Type else {
                return try require(!(subject.source is any NotifyingBusySource.Type), "nothing shows what the service sends")
            }
            func tokens() async throws -> [Secret] {
                try await notifications().flatMap { request -> [Secret] in
                    guard case .changed(let tokens) = source.read(subject.delivery(request)) else { return [] }
                    return tokens
                }
            }
            let token = Secret("0123456789abcdefghjkmnpq")
            let request = SubscriptionRequest(
                id: "sub_1", calendar: try await subject.calendar(), address: "https://usher.example/hear/1", token: token)
            let subscription = try await source.subscribe(request, try await subject.context())
            try require(subscription.end > Environment.system.now() - .days(400), "it ends at \(subscription.end.rfc3339)")
            for request in try await notifications() {
                try require(source.read(subject.delivery(request)) != .refused, "what came first is not understood")
            }
            try await subject.put(subject.event("new@x.example"))
            let told = try await tokens()
            try require(told == [token], "\(told.count) were told")
            try await source.unsubscribe(subscription, try await subject.context())
            try await source.unsubscribe(subscription, try await subject.context())
            try await subject.put(subject.event("newer@x.example"))
            let later = try await tokens()
            try require(later.isEmpty, "it still tells")
        },
        BusySourceCase("what bears no token is no notification") { subject in
            guard let source = subject.source as? any NotifyingBusySource.Type else { return }
            for body in ["", "{}", "[]", #"{"value": []}"#, #"{"value": [{"clientState": 7}]}"#, "\u{0}"] {
                let reading = source.read(EventDelivery(headers: [], body: Array(body.utf8), now: Environment.system.now()))
                try require(reading == .refused, "\(body): \(reading)")
            }
        },
        BusySourceCase("a service that does not answer is an error, never an empty calendar") { subject in
            let calendar = try await subject.calendar()
            var context = try await subject.context()
            context.call.transport = Silence()
            do {
                let answer = try await subject.source.busy(subject.question(calendar), context)
                throw BusySourceFailure("answered \(answer)")
            } catch let error as ProviderError { try require(error.retry != .never, "it is given up at once") }
        },
        BusySourceCase("refused credentials are an error that a person can mend") { subject in
            guard let bad = try await subject.badContext?() else { return }
            let calendar = try await subject.calendar()
            do {
                let answer = try await subject.source.busy(subject.question(calendar), bad)
                throw BusySourceFailure("answered \(answer)")
            } catch let error as ProviderError {
                try require([.reauthorize, .hostUnknown, .notConnected].contains(error.code), "\(error.code)")
                try require(!error.remedy.isEmpty, "nobody is told what to do")
            }
        },
    ]
}

/// A service that nobody reaches.
private struct Silence: Transport {
    func send(_ request: HTTPRequest) async throws(TransportError) -> HTTPResponse { throw .notSent("Connection refused") }
}
