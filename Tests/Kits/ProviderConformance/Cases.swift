import ProviderTesting
import UsherCore

/// One promise of the provider contract. The kit needs no test framework: `run` throws a ``ConformanceFailure`` when the
/// promise is not kept, in any framework's test.
public struct ConformanceCase: Sendable, CustomStringConvertible {
    /// What is promised, as a sentence.
    public var name: String
    /// Whether the promise concerns a module; otherwise why not.
    public var applies: @Sendable (ConformanceSubject) -> Bool
    /// Tries it.
    /// - Throws: ``ConformanceFailure``, or what the module threw.
    public var run: @Sendable (ConformanceSubject) async throws -> Void

    /// ``name``.
    public var description: String { name }

    init(
        _ name: String, applies: @escaping @Sendable (ConformanceSubject) -> Bool = { _ in true },
        run: @escaping @Sendable (ConformanceSubject) async throws -> Void
    ) {
        self.name = name
        self.applies = applies
        self.run = run
    }

    /// Every promise, in the order of the contract.
    public static let all: [ConformanceCase] = [
        ConformanceCase("the descriptor can stand in a catalogue") { subject in
            let descriptor = subject.descriptor
            try require(descriptor.id.wholeMatch(of: /[a-z0-9][a-z0-9-]{0,63}/) != nil, "the id '\(descriptor.id)' cannot be written")
            try require(!descriptor.name.isEmpty, "the module has no name for people")
            try require(descriptor.connection == .none || !descriptor.credentials.isEmpty, "a module with an account needs credentials")
            try require(descriptor.credentials.isEmpty || !descriptor.credentialPrefix.isEmpty, "credentials need a prefix")
        },
        ConformanceCase("a room has an id and a join link") { subject in
            let call = subject.call()
            let made = try await subject.module.create(subject.request(call), call)
            try require(!made.id.isEmpty, "no id")
            try require(made.room.joinURL.hasPrefix("https://"), "'\(made.room.joinURL)' is no https link")
        },
        ConformanceCase("two bookings get two rooms") { subject in
            let call = subject.call()
            let first = try await subject.module.create(subject.request(call), call)
            let second = try await subject.module.create(subject.request(call), call)
            try require(first.id != second.id && first.room.joinURL != second.room.joinURL, "both are \(first.room.joinURL)")
        },
        ConformanceCase("the same key gives the same room", applies: { !$0.isLookup }) { subject in
            let call = subject.call()
            let request = subject.request(call)
            let (first, second) = (try await subject.module.create(request, call), try await subject.module.create(request, call))
            try require(first == second, "\(first) and \(second)")
        },
        ConformanceCase("a room is found by its key, and by no other", applies: \.isLookup) { subject in
            let call = subject.call()
            let request = subject.request(call)
            let made = try await subject.module.create(request, call)
            let found = try await subject.module.find(request.key, host: subject.host, call)
            try require(found.map(\.id) == [made.id], "found \(found.map(\.id)), made \(made.id)")
            try require(
                try await subject.module.find(call.environment.code(bits: 128), host: subject.host, call).isEmpty,
                "found a room by a key that it does not bear")
            try require(
                try await subject.module.find(nil, host: subject.host, call).contains { $0.key == request.key },
                "the list of all our rooms lacks it")
        },
        ConformanceCase("a create whose answer is lost is unclear, and its room is found", applies: \.isLookup) { subject in
            let (call, way) = try await subject.disturbed()
            let request = subject.request(call)
            way.inject(.loseAnswer)
            let error = await failure { () async throws(ProviderError) in _ = try await subject.module.create(request, call) }
            try require(error?.isUnclear == true, "the error is \(String(describing: error))")
            try require(try await subject.module.find(request.key, host: subject.host, call).count == 1, "the room is not found")
        },
        ConformanceCase("a create that found no connection is not unclear", applies: \.asksService) { subject in
            let (call, way) = try await subject.disturbed()
            way.inject(.refuseConnection)
            let error = await failure { () async throws(ProviderError) in _ = try await subject.module.create(subject.request(call), call) }
            try require(error?.isUnclear == false && error?.retry == .backoff, "the error is \(String(describing: error))")
        },
        ConformanceCase("trouble at the service leaves a create unclear, and a look not", applies: \.asksService) { subject in
            let (call, way) = try await subject.disturbed()
            way.inject(.answer(HTTPResponse(status: 503)))
            let error = await failure { () async throws(ProviderError) in _ = try await subject.module.create(subject.request(call), call) }
            try require(error?.code == .unavailable && error?.isUnclear == true, "the create's error is \(String(describing: error))")
            let made = try await subject.module.create(subject.request(call), call)
            way.inject(.answer(HTTPResponse(status: 503)))
            let look = await failure { () async throws(ProviderError) in
                _ = try await subject.module.fetch(made.id, host: subject.host, call)
            }
            try require(look?.code == .unavailable && look?.isUnclear == false, "the look's error is \(String(describing: look))")
        },
        ConformanceCase("a service that takes no more calls is asked again when it says", applies: \.asksService) { subject in
            let (call, way) = try await subject.disturbed()
            way.inject(.answer(HTTPResponse(status: 429, headers: [("Retry-After", "120")])))
            let error = await failure { () async throws(ProviderError) in _ = try await subject.module.create(subject.request(call), call) }
            try require(
                error?.code == .providerRateLimited && error?.isUnclear == false
                    && error?.retry == .at(call.environment.now() + .seconds(120)), "the error is \(String(describing: error))")
        },
        ConformanceCase("a list that cannot be read is an error, and not an empty one", applies: \.isLookup) { subject in
            let (call, way) = try await subject.disturbed()
            way.inject(.answer(HTTPResponse(status: 200, body: Array("<html>Maintenance</html>".utf8))))
            let error = await failure { () async throws(ProviderError) in
                _ = try await subject.module.find(nil, host: subject.host, call)
            }
            try require(error?.code == .unavailable && error?.isUnclear == false, "the error is \(String(describing: error))")
        },
        ConformanceCase("a 404 that is not the service's own does not make a room gone", applies: \.asksService) { subject in
            let (call, way) = try await subject.disturbed()
            let made = try await subject.module.create(subject.request(call), call)
            way.inject(.answer(HTTPResponse(status: 404, body: Array("<html>No such page</html>".utf8))))
            let error = await failure { () async throws(ProviderError) in
                _ = try await subject.module.fetch(made.id, host: subject.host, call)
            }
            try require(error != nil && error?.code != .meetingGone, "the error is \(String(describing: error))")
        },
        ConformanceCase("an update keeps room and link, and reads the new time back") { subject in
            let call = subject.call()
            var request = subject.request(call)
            let made = try await subject.module.create(request, call)
            request.start = request.start + .hours(26)
            request.end = request.end + .hours(26)
            let moved = try await subject.module.update(made.id, to: request, call)
            try require(moved.id == made.id && moved.room.joinURL == made.room.joinURL, "the room changed: \(moved)")
            guard subject.descriptor.capabilities.contains(.schedule) else { return }
            try require(moved.start == request.start && moved.end == request.end, "the room is at \(String(describing: moved.start))")
        },
        ConformanceCase("a fetch shows what the create showed") { subject in
            let call = subject.call()
            let made = try await subject.module.create(subject.request(call), call)
            let fetched = try await subject.module.fetch(made.id, host: subject.host, call)
            try require(fetched.room == made.room, "made \(made.room), fetched \(fetched.room)")
        },
        ConformanceCase("a cancel may be repeated") { subject in
            let call = subject.call()
            let made = try await subject.module.create(subject.request(call), call)
            try await subject.module.cancel(made.id, host: subject.host, call)
            try await subject.module.cancel(made.id, host: subject.host, call)
        },
        ConformanceCase("an update of a room that is gone says so", applies: { $0.descriptor.capabilities.contains(.schedule) }) {
            subject in
            let call = subject.call()
            let request = subject.request(call)
            let made = try await subject.module.create(request, call)
            try await subject.module.cancel(made.id, host: subject.host, call)
            let error = await failure { () async throws(ProviderError) in _ = try await subject.module.update(made.id, to: request, call) }
            try require(error?.code == .meetingGone, "the error is \(String(describing: error))")
        },
        ConformanceCase("a passcode is made where one is asked for", applies: { $0.descriptor.capabilities.contains(.passcode) }) {
            subject in
            let call = subject.call()
            let made = try await subject.module.create(subject.request(call, options: MeetingOptions(passcode: .generate)), call)
            try require((made.room.passcode?.count ?? 0) >= 6, "the passcode is \(made.room.passcode ?? "missing")")
        },
        ConformanceCase("dial-in numbers can be dialled", applies: { $0.descriptor.capabilities.contains(.dialIn) }) { subject in
            let call = subject.call()
            let made = try await subject.module.create(subject.request(call), call)
            try require(!made.room.dialIn.isEmpty, "there are none")
            for number in made.room.dialIn {
                try require(number.country.wholeMatch(of: /[A-Z]{2}/) != nil, "'\(number.country)' is no country")
                try require(number.tapToCall.wholeMatch(of: /tel:\+[0-9]{6,}[0-9,#*]*/) != nil, "'\(number.tapToCall)' cannot be dialled")
                try require(number.pin.map { $0.wholeMatch(of: /[0-9]+/) != nil } ?? true, "the pin of \(number.number) cannot be keyed in")
            }
        },
        ConformanceCase("a long title in any script is taken") { subject in
            let call = subject.call()
            _ = try await subject.module.create(subject.request(call, title: String(repeating: "会議🎉é", count: 120)), call)
        },
        ConformanceCase("an unknown host is named as the trouble", applies: { $0.unknownHost != nil }) { subject in
            let call = subject.call()
            var request = subject.request(call)
            request.host = subject.unknownHost ?? ""
            let error = await failure { () async throws(ProviderError) in _ = try await subject.module.create(request, call) }
            try require(
                error?.code == .hostUnknown && error?.retry == .never && error?.isUnclear == false,
                "the error is \(String(describing: error))")
            try require(error?.remedy.isEmpty == false, "there is no remedy")
        },
        ConformanceCase("a preflight of a good set-up finds nothing") { subject in
            let found = await subject.module.preflight(hosts: subject.host.isEmpty ? [] : [subject.host], subject.call())
            try require(found.problems.isEmpty, "\(found.problems)")
        },
        ConformanceCase("bad credentials are a person's matter, and no secret shows in the error", applies: { $0.badCall != nil }) {
            subject in
            guard let call = subject.badCall?() else { return }
            let error = await failure { () async throws(ProviderError) in _ = try await subject.module.create(subject.request(call), call) }
            try require(error?.code.isBlocking == true, "the error is \(String(describing: error))")
            let text = "\(String(describing: error))"
            for (name, secret) in call.credentials where !name.hasSuffix("_ID") {
                try require(!text.contains(secret.reveal()), "\(name) shows in the error")
            }
            try require(await !subject.module.preflight(hosts: [], call).problems.isEmpty, "the preflight finds nothing")
        },
    ]
}

private func failure(_ body: () async throws(ProviderError) -> Void) async -> ProviderError? {
    do throws(ProviderError) {
        try await body()
        return nil
    } catch { return error }
}
