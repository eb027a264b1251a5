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

    @Test("Reception is asked where the environment says, and a title is cut to what it takes")
    func request() async throws {
        let service = StandInReception.service()
        let call = ProviderContext.test(
            credentials: ["API_KEY": StandInReception.key], endpoints: ["RECEPTION_URL": "http://127.0.0.1:8090/"], transport: service)
        _ = try await ReceptionProvider.create(.test(call, title: String(repeating: "x", count: 300)), call)
        #expect(service.requests.map(\.url) == ["http://127.0.0.1:8090/rooms"])
        #expect(service.state.first?["title"]?.string?.count == 200)
    }
}
