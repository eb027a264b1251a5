import Corridor
import ProviderConformance
import ProviderTesting
import Reception
import Testing
import UsherCore

@Suite(.timeLimit(.minutes(2)))
struct ExampleTests {
    @Test("Corridor keeps the contract, case by case", arguments: ConformanceCase.all)
    func corridor(promise: ConformanceCase) async throws {
        let subject = ConformanceSubject(
            module: CorridorProvider.self, call: { .test(settings: ["house": "rooms.example"], transport: StandInReception.service()) })
        if promise.applies(subject) { try await promise.run(subject) }
    }

    @Test("Reception keeps the contract, case by case", arguments: ConformanceCase.all)
    func reception(promise: ConformanceCase) async throws {
        let subject = ConformanceSubject(
            module: ReceptionProvider.self, service: StandInReception.service(), settings: ["url": "https://reception.example"],
            credentials: ["API_KEY": StandInReception.key], badCredentials: ["API_KEY": "another"])
        if promise.applies(subject) { try await promise.run(subject) }
    }

    @Test("a room whose making went wrong at Reception may be there, and says so")
    func trouble() async throws {
        let service = StandInReception.service()
        service.inject(.answer(HTTPResponse(status: 503)))
        let call = ProviderContext.test(
            settings: ["url": "https://reception.example"], credentials: ["API_KEY": StandInReception.key], transport: service)
        let start = call.environment.now() + .days(1)
        await #expect(throws: ProviderError.self) {
            _ = try await ReceptionProvider.create(
                RoomRequest(
                    key: "k", title: "A talk", description: "", start: start, end: start + .minutes(30), timeZone: "Europe/Berlin",
                    host: "", options: MeetingOptions()), call)
        }
        #expect(service.requests.map(\.method) == ["POST"] && service.state.isEmpty)
    }
}
