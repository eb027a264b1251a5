import ProviderSandbox
import TestPostgreSQL
import Testing
import UsherCore

extension BookTests {
    /// What one of many callers was told: whether the time is theirs, and whether others near it were named.
    private func ask(_ number: Int, for start: String, _ site: Site, port: Int) async throws -> (isTheirs: Bool, isTold: Bool) {
        let mail = "x\(number)@example.org"
        let booking = #"{"meetingType": "quick", "start": "\#(start)", "attendees": [{"email": "\#(mail)"}]}"#
        let answer: (status: Int, json: JSON, response: HTTPResponse)
        switch number % 4 {
        case 0:
            let form = #"{"start": "\#(start)", "name": "X", "email": "\#(mail)"}"#
            answer = try await site.call("POST", "/book/quick", body: form, port: port)
        case 1: answer = try await site.call("POST", "/v1/bookings", body: booking, port: port)
        case 2:
            answer = try await site.call("POST", "/v1/holds", body: #"{"meetingType": "quick", "start": "\#(start)"}"#, port: port)
        default:
            let call = #"{"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": "book_meeting", "arguments": \#(booking)}}"#
            let result = try await site.call("POST", "/mcp", body: call, port: port).json["result"]
            let text = result?["content"]?.array?.first?["text"]?.string ?? ""
            return (result?["structuredContent"]?["id"] != nil, text.contains("nearest free times: 20"))
        }
        return (answer.status == 201, answer.status == 409 && answer.json["nearest"]?.array?.isEmpty == false)
    }

    @Test(
        "of fifty who want a time at once, by page, API, hold and agent, one gets it; the others are told what is near",
        arguments: [true, false])
    func lastSlot(isOnPostgreSQL: Bool) async throws {
        let site = try await Site(catalog: Self.catalog, server: isOnPostgreSQL ? try .shared() : nil)
        let ports = isOnPostgreSQL ? [site.port, try FreeTestPort.find()] : [site.port]
        var servers: [Command] = []
        for port in ports { servers.append(try await site.serve(environment: ["USHER_PORT": "\(port)"])) }
        let text = String(decoding: try await site.call("GET", "/book/quick.md").response.body, as: UTF8.self)
        let start = try #require(text.firstMatch(of: /- (20[0-9T:+Z-]+)/).map { String($0.1) })
        let answers = try await withThrowingTaskGroup(of: (Bool, Bool).self) { group in
            for number in 0..<50 {
                group.addTask { try await ask(number, for: start, site, port: ports[number / 4 % ports.count]) }
            }
            return try await group.reduce(into: []) { $0.append($1) }
        }
        // A page holds the time before it books; whoever wins, wins once.
        #expect(answers.count { $0.0 } == 1, "\(answers)")
        #expect(answers.count { $0.1 } == 49, "\(answers)")
        for server in servers { server.kill() }
        await site.close()
    }
}
