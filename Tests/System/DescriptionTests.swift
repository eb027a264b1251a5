import Foundation
import ProviderSandbox
import Testing
import UsherCore

/// What the API says of itself, and whether it is true.
@Suite(.timeLimit(.minutes(isSoak ? 60 : 6)))
struct DescriptionTests {
    private func served(_ catalog: String = Site.catalog, _ body: (Site) async throws -> Void) async throws {
        let site = try await Site(catalog: catalog)
        let server = try await site.serve(environment: ["USHER_PUBLIC_URL": "http://127.0.0.1:\(site.port)"])
        try await body(site)
        server.kill()
        await site.close()
    }

    /// The operations by id, with path and method.
    private func operations(_ site: Site) async throws -> [String: (method: String, path: String, scope: String?)] {
        let paths = try await site.call("GET", "/openapi.json").json["paths"]?.members ?? []
        var found: [String: (method: String, path: String, scope: String?)] = [:]
        for path in paths {
            for method in path.value.members ?? [] {
                let scope = method.value["description"]?.string?.split(separator: "`").dropFirst().first.map(String.init)
                found[method.value["operationId"]?.string ?? ""] = (method.key.uppercased(), path.key, scope)
            }
        }
        return found
    }

    @Test("every call of the contract is described, with the scope that it needs")
    func census() async throws {
        try await served { site in
            let operations = try await operations(site)
            #expect(operations.mapValues { "\($0.method) \($0.path) \($0.scope ?? "-")" } == Calls.all)
        }
    }

    @Test("no route of the API is made beside the description")
    func noOtherRoutes() throws {
        let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().path + "/../../Engine/Web"
        for name in try FileManager.default.subpathsOfDirectory(atPath: folder) where name.hasSuffix(".swift") {
            let text = try String(contentsOfFile: folder + "/" + name, encoding: .utf8)
            #expect(text.firstMatch(of: /router\.(get|put|post|delete|patch)\("\/(v1|health|openapi|docs|metrics|mcp)/) == nil, "\(name)")
        }
    }

    @Test("every property of every schema says what it means")
    func described() async throws {
        try await served { site in
            let schemas = try await site.call("GET", "/openapi.json").json["components"]?["schemas"]?.members ?? []
            #expect(schemas.count > 40)
            func undescribed(_ schema: JSON, _ path: String) -> [String] {
                let own = (schema["properties"]?.members ?? []).flatMap { property in
                    ((property.value["description"]?.string ?? "").count < 4 ? ["\(path).\(property.key)"] : [])
                        + undescribed(property.value, "\(path).\(property.key)")
                }
                let parts = (schema["oneOf"]?.array ?? []) + (schema["anyOf"]?.array ?? []) + (schema["items"].map { [$0] } ?? [])
                return own + parts.flatMap { undescribed($0, path) }
            }
            let bare = schemas.flatMap { undescribed($0.value, $0.key) }
            #expect(bare.isEmpty, "\(bare)")
        }
    }

    @Test("the type of an error leads to the place where its code is explained")
    func errorAddresses() async throws {
        try await served { site in
            let answer = try await site.call("GET", "/v1/bookings/none").json
            #expect(answer["type"]?.string == "/docs#not-found")
            let docs = try await site.browse("/docs").page
            for code in ErrorCode.allCases {
                let explained = try #require(docs.firstRange(of: "<div id=\"\(code.rawValue)\">"), "\(code)")
                #expect(docs[explained.upperBound...].prefix(400).contains(/<dd>[^<]{20,}<\/dd>/))
            }
        }
    }

    @Test("a key does what its scopes say, and no more", arguments: Calls.scopes)
    func scopes(_ scope: String) async throws {
        try await served { site in
            let made = try await site.usher("key", "create", "--json", "--name", "x", "--scope", scope).finish()
            let key = try JSON(parsing: made.output)["key"]?.string ?? ""
            // Metrics need no key on this machine.
            for (id, call) in try await operations(site) where (call.scope != nil || id == "mcp") && id != "metrics" {
                let path = call.path.replacing(/\{\w+\}/, with: "none")
                let body = call.method == "GET" || call.method == "DELETE" ? nil : "{}"
                let answer = try await site.call(call.method, path, body: body, key: key)
                let mayPass = call.scope == nil || call.scope == scope || scope == "admin"
                #expect((answer.status == 403) == !mayPass, "\(id) answered \(answer.status) to \(scope)")
                #expect(answer.status != 401 && answer.status != 500)
            }
            let tools = try await site.call("POST", "/mcp", body: #"{"jsonrpc": "2.0", "id": 1, "method": "tools/list"}"#, key: key)
            #expect(tools.json["result"]?["tools"]?.array?.compactMap { $0["name"]?.string } == Calls.tools[scope])
            let call =
                #"{"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": "cancel_booking", "arguments": {"id": "bk_none"}}}"#
            let text = try await site.call("POST", "/mcp", body: call, key: key).json["result"]?["content"]?.array?.first?["text"]?.string
            #expect(text?.hasPrefix(Calls.tools[scope]?.contains("cancel_booking") == true ? "not-found" : "auth.forbidden") == true)
        }
    }

    @Test("every example works, every answer fits its description to the last field, and every code is met")
    func examples() async throws {
        let catalog = Site.catalog.replacing("{owner.name}\", duration: 30m", with: "{owner.name}\", durations: [30m, 45m]")
            .replacing("owners:\n", with: "schedules:\n  day: { weekly: { mon-sun: [\"08:00-20:00\"] } }\nowners:\n")
            .appending("\n  visit: { title: Visit, duration: 30m, hosts: [ana], slots: { schedule: day, horizon: 1000d } }\n")
        try await served(catalog) { site in
            let made = try await site.usher("key", "create", "--json", "--name", "x", "--scope", "bookings:read").finish()
            let reader = try JSON(parsing: made.output)["key"]?.string ?? ""
            let check = try Command(
                Command.python(1), [Command.script("api_check.py"), "http://127.0.0.1:\(site.port)", site.key, reader])
            let (code, output, errors) = await check.finish()
            #expect(code == 0, "\(errors)")
            let found = try JSON(parsing: output)
            #expect(found["failures"] == .array([]), "\(found["failures"]?.pretty ?? "")")
            #expect(found["called"] == found["all"])
            // `overloaded` and the providers' own codes are met elsewhere.
            #expect(Set(found["codes"]?.array?.compactMap(\.string) ?? []) == Calls.codes)
        }
    }

    @Test("the examples on /docs do what they say: curl, Python and JavaScript book, and webhooks are verified")
    func quickStart() async throws {
        try await served { site in
            let run = try Command(
                Command.python(1), [Command.script("docs_examples.py"), "http://127.0.0.1:\(site.port)/docs"],
                environment: ["USHER_API_KEY": site.key], folder: site.folder)
            let (code, output, errors) = await run.finish()
            #expect(code == 0, "\(errors)")
            let seen = try JSON(parsing: output)
            let verdicts: JSON = [true, false, false, false, false]
            let links = ["curl", "python", "javascript"].map { seen[$0]?["meeting"]?["joinUrl"]?.string?.hasPrefix("http") }
            #expect(links == [true, true, true], "\(seen.pretty)")
            #expect(Set(["curl", "python", "javascript"].compactMap { seen[$0]?["id"]?.string }).count == 3)
            #expect(seen["verified"] == ["python": verdicts, "javascript": verdicts], "\(seen.pretty)")
        }
    }

    @Test("schemathesis finds no call that the server answers otherwise than described")
    func schemathesis() async throws {
        try await served { site in
            let run = try Command(
                Command.python(1),
                [
                    "-m", "schemathesis.cli", "run", "http://127.0.0.1:\(site.port)/openapi.json", "-H",
                    "Authorization: Bearer \(site.key)",
                    "--exclude-checks", "positive_data_acceptance", "--max-examples", isSoak ? "200" : "5", "--no-color",
                ], folder: site.folder)
            let (code, output, errors) = await run.finish()
            #expect(code == 0, "\(output.suffix(6_000))\n\(errors.suffix(1_000))")
        }
    }

    @Test("the official MCP clients of both eras book, repeat, look, move and cancel, over HTTP and over stdio", arguments: Calls.agents)
    func agents(_ client: Int, _ way: String, _ version: String) async throws {
        try await served { site in
            let arguments =
                way == "http"
                ? ["http", "http://127.0.0.1:\(site.port)/mcp", site.key] : ["stdio", Command.usher, "mcp"]
            let agent = try Command(
                Command.python(client), [Command.script("agent.py")] + arguments, environment: site.environment, folder: site.folder)
            let (code, output, errors) = await agent.finish()
            #expect(code == 0, "\(errors.suffix(3_000))")
            let saw = try JSON(parsing: output)
            #expect(saw["version"]?.string == version)
            #expect(saw["tools"]?.array?.count == 9 && saw["types"]?.array?.contains("consultation") == true)
            #expect(saw["booked"]?["meeting"]?["joinUrl"]?.string?.hasPrefix("http") == true)
            #expect(saw["again"] == saw["booked"]?["id"] && saw["seen"] == saw["again"] && saw["listed"] == .array([saw["again"] ?? .null]))
            #expect(saw["isError"] == true && saw["wrong"]?.string?.contains("did you mean 'consultation'") == true)
            #expect(saw["moved"] == "2027-06-02T08:00:00Z" && saw["cancelled"] == "cancelled")
            #expect(site.zoom.meetings.isEmpty)
        }
    }

    @Test("MCP's rules are kept: foreign origins, unknown versions and methods, headers that say otherwise, notifications")
    func protocolRules() async throws {
        try await served { site in
            for (body, headers, expected) in Calls.protocolRules {
                let answer = try await site.call("POST", "/mcp", body: body, headers: headers.map { ($0.key, $0.value) })
                #expect("\(answer.status) \(answer.json["error"]?["code"]?.int ?? 0)" == expected, "\(body) \(headers)")
            }
            #expect(try await site.call("GET", "/mcp").response.header("allow") == "POST")
        }
    }
}

private enum Calls {
    static let scopes = ["bookings:read", "bookings:write", "owners:read", "owners:write", "owners:impersonate", "admin"]
    static let tools = [
        "bookings:read": ["list_meeting_types", "explain_provider", "list_slots", "list_bookings", "get_booking"],
        "bookings:write": ["hold_slot", "book_meeting", "reschedule_booking", "cancel_booking"], "owners:read": [], "owners:write": [],
        "owners:impersonate": [],
        "admin": [
            "list_meeting_types", "explain_provider", "list_slots", "hold_slot", "book_meeting", "list_bookings", "get_booking",
            "reschedule_booking",
            "cancel_booking",
        ],
    ]
    static let agents = [(1, "http", "2025-11-25"), (1, "stdio", "2025-11-25"), (2, "http", "2026-07-28"), (2, "stdio", "2026-07-28")]

    private static let modern = ["MCP-Protocol-Version": "2026-07-28", "Mcp-Method": "tools/list"]
    private static let list = """
        {"jsonrpc": "2.0", "id": 1, "method": "tools/list", "params": {"_meta":
            {"io.modelcontextprotocol/protocolVersion": "2026-07-28", "io.modelcontextprotocol/clientCapabilities": {}}}}
        """
    private static let bare = #"{"jsonrpc": "2.0", "id": 1, "method": "tools/list"}"#

    /// Body, headers, and the answer's status and error.
    static let protocolRules: [(body: String, headers: [String: String], expected: String)] = [
        (list, modern, "200 0"), (list, [:], "400 -32020"), (bare, [:], "200 0"), (bare, modern, "400 -32602"),
        (list, modern.merging(["Mcp-Method": "tools/call"]) { $1 }, "400 -32020"),
        (list, ["MCP-Protocol-Version": "2026-07-28"], "400 -32020"),
        (list.replacing("2026-07-28", with: "2099-01-01"), modern.merging(["MCP-Protocol-Version": "2099-01-01"]) { $1 }, "400 -32022"),
        (list.replacing("tools/list", with: "nothing"), modern.merging(["Mcp-Method": "nothing"]) { $1 }, "404 -32601"),
        (bare.replacing("tools/list", with: "nothing"), [:], "200 -32601"), (bare, ["MCP-Protocol-Version": "1999-01-01"], "400 -32600"),
        (#"{"jsonrpc": "2.0", "method": "notifications/initialized"}"#, [:], "202 0"), ("nonsense", [:], "400 -32700"),
        ("[]", [:], "400 -32600"), (list, modern.merging(["Origin": "https://evil.example"]) { $1 }, "403 -32600"),
        (list, modern.merging(["Accept": "text/html"]) { $1 }, "406 -32600"),
    ]

    /// All codes but those that no call fails with.
    static let codes: Set<String> = [
        "auth.forbidden", "auth.invalid", "auth.missing", "booking.cancelled", "booking.conflict", "booking.in-past", "booking.unavailable",
        "idempotency.mismatch",
        "not-found", "owner.in-file", "payload.too-large", "rate-limited", "request.malformed",
        "request.media-type", "validation.failed",
    ]

    static let all = [
        "createBooking": "POST /v1/bookings bookings:write", "listBookings": "GET /v1/bookings bookings:read",
        "getBooking": "GET /v1/bookings/{id} bookings:read", "cancelBooking": "POST /v1/bookings/{id}/cancel bookings:write",
        "rescheduleBooking": "POST /v1/bookings/{id}/reschedule bookings:write",
        "retryBooking": "POST /v1/bookings/{id}/retry bookings:write", "listSlots": "GET /v1/slots bookings:read",
        "explainSlot": "GET /v1/slots/explain bookings:read", "createHold": "POST /v1/holds bookings:write",
        "deleteHold": "DELETE /v1/holds/{id} bookings:write",
        "getTimeline": "GET /v1/bookings/{id}/timeline bookings:read", "listOwners": "GET /v1/owners owners:read",
        "getOwner": "GET /v1/owners/{id} owners:read", "putOwner": "PUT /v1/owners/{id} owners:write",
        "deleteOwner": "DELETE /v1/owners/{id} owners:write", "setDefaultProvider": "PUT /v1/owners/{id}/default-provider owners:write",
        "createPortalLink": "POST /v1/owners/{id}/portal-links owners:impersonate",
        "listConnections": "GET /v1/owners/{id}/connections owners:read",
        "authorizeConnection": "POST /v1/owners/{id}/connections/{provider}/authorize owners:write",
        "deleteConnection": "DELETE /v1/owners/{id}/connections/{provider} owners:write",
        "listApps": "GET /v1/owners/{id}/apps owners:read", "listTimeOff": "GET /v1/owners/{id}/time-off owners:read",
        "addTimeOff": "POST /v1/owners/{id}/time-off owners:write", "deleteTimeOff": "DELETE /v1/owners/{id}/time-off/{off} owners:write",
        "listCalendars": "GET /v1/owners/{id}/calendars owners:read",
        "connectCalendars": "POST /v1/owners/{id}/calendars owners:write",
        "chooseCalendar": "PATCH /v1/owners/{id}/calendars/{calendar} owners:write",
        "deleteCalendar": "DELETE /v1/owners/{id}/calendars/{calendar} owners:write",
        "putApp": "PUT /v1/owners/{id}/apps/{provider} owners:write", "deleteApp": "DELETE /v1/owners/{id}/apps/{provider} owners:write",
        "listMeetingTypes": "GET /v1/meeting-types bookings:read", "listProviders": "GET /v1/providers bookings:read",
        "resolve": "GET /v1/resolve bookings:read", "listWebhooks": "GET /v1/webhooks admin", "createWebhook": "POST /v1/webhooks admin",
        "getWebhook": "GET /v1/webhooks/{id} admin", "deleteWebhook": "DELETE /v1/webhooks/{id} admin",
        "rotateWebhookSecret": "POST /v1/webhooks/{id}/rotate admin", "enableWebhook": "POST /v1/webhooks/{id}/enable admin",
        "listDeliveries": "GET /v1/webhooks/{id}/deliveries admin",
        "replayDelivery": "POST /v1/webhooks/{id}/deliveries/{delivery}/replay admin", "live": "GET /health/live -",
        "ready": "GET /health/ready -", "metrics": "GET /metrics admin", "listAudit": "GET /v1/audit admin",
        "exportPerson": "POST /v1/people/export admin", "erasePerson": "POST /v1/people/erase admin",
        "openapi": "GET /openapi.json -", "docs": "GET /docs -",
        "mcp": "POST /mcp -",
    ]
}
