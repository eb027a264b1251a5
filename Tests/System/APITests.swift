import Foundation
import ProviderSandbox
import Testing
import UsherCore

/// The API as bots call it.
@Suite(.timeLimit(.minutes(3)))
struct APITests {
    private func site(_ body: (Site) async throws -> Void) async throws {
        let site = try await Site()
        let server = try await site.serve()
        try await body(site)
        server.kill()
        await site.close()
    }

    /// Makes a key by the command, and gives it with its id.
    private func key(_ site: Site, _ arguments: String...) async throws -> (key: String, id: String) {
        let command = try Command(
            Command.usher, ["key", "create", "--json", "--name", "crm"] + arguments, environment: site.environment, folder: site.folder)
        let (code, output, errors) = await command.finish()
        #expect(code == 0, "\(errors)")
        let json = try JSON(parsing: output)
        return (json["key"]?.string ?? "", json["id"]?.string ?? "")
    }

    @Test("a problem names the trace that the call belongs to")
    func traces() async throws {
        let site = try await Site()
        let server = try await site.serve()
        let trace = "4bf92f3577b34da6a3ce929d0e0e4736"
        let headers = [(name: "traceparent", value: "00-\(trace)-00f067aa0ba902b7-01")]
        let refused = try await site.call("POST", "/v1/bookings", body: "{}", headers: headers)
        #expect(refused.status == 422 && refused.json["traceId"]?.string == trace)
        #expect(try await site.call("POST", "/v1/bookings", body: "{}").json["traceId"] == nil)
        for wrong in ["", "00-\(trace)-00f067aa0ba902b7", "00-\(trace)-0000000000000000-01"] {
            let answer = try await site.call("GET", "/v1/bookings/x", headers: [("traceparent", wrong)])
            #expect(answer.status == 404 && answer.json["traceId"] == nil)
        }
        server.kill()
        await site.close()
    }

    @Test("what nobody waits for is not taken at the address where services tell of calendars")
    func strangersNotice() async throws {
        try await site { site in
            for path in ["/webhooks/calendars/cal_1", "/webhooks/calendars/cal_1?validationToken=hello"] {
                let answer = try await site.call("POST", path, body: #"{"value": [{"clientState": "x"}]}"#)
                #expect(answer.status == 404 && answer.response.body.isEmpty, "\(path)")
            }
        }
    }

    @Test("a bot that prefers to wait gets the join link in the answer")
    func waits() async throws {
        try await site { site in
            let body =
                #"{"meetingType": "consultation", "owner": "ana", "start": "2027-03-01T10:00:00Z", "attendees": [{"email": "bo@example.org"}]}"#
            let answer = try await site.call("POST", "/v1/bookings", body: body, headers: [("Prefer", "respond-async, wait=20")])
            #expect(answer.status == 201 && answer.json["meeting"]?["status"] == "ready")
            #expect(answer.json["meeting"]?["joinUrl"]?.string?.hasPrefix("http") == true)
            #expect(answer.response.header("preference-applied") == "wait=20")
            // What needs a person is answered at once.
            let blocked = try await site.call(
                "POST", "/v1/bookings", body: body.replacing("consultation", with: "mine").replacing("T10", with: "T12"),
                headers: [("Prefer", "wait=20")])
            #expect(blocked.json["meeting"]?["status"] == "blocked")
        }
    }

    @Test("a key lets in what its scopes allow, until it runs out or is revoked, and is kept as a hash")
    func keys() async throws {
        try await site { site in
            let reader = try await key(site, "--scope", "bookings:read", "--expires", "90d")
            #expect(try await site.call("GET", "/v1/bookings", key: reader.key).status == 200)
            #expect(try await site.call("GET", "/v1/meeting-types", key: reader.key).json["items"]?.array?.count == 3)
            #expect(try await site.call("GET", "/v1/providers", key: reader.key).json["items"]?.array?.count == 3)
            let refused = try await site.call("POST", "/v1/bookings/bk_x/cancel", key: reader.key)
            #expect(refused.status == 403 && refused.json["code"] == "auth.forbidden")
            #expect(try await site.call("GET", "/v1/owners", key: reader.key).status == 403)
            let all = try await key(site, "--scope", "admin")
            #expect(try await site.call("GET", "/v1/owners", key: all.key).status == 200)
            let list = await (try site.usher("key", "list")).finish().output
            #expect(list.contains(reader.id) && !list.contains(reader.key))
            let file = FileManager.default.contents(atPath: site.folder + "/usher.sqlite-wal") ?? Data()
            #expect(file.range(of: Data(reader.key.utf8)) == nil)
            #expect(await (try site.usher("key", "revoke", reader.id)).finish().code == 0)
            #expect(try await site.call("GET", "/v1/bookings", key: reader.key).json["code"] == "auth.invalid")
            #expect(await (try site.usher("key", "revoke", reader.id)).finish().code == 1)
            #expect(await (try site.usher("key", "create", "--name", "x", "--scope", "bookings:reed")).finish().code == 2)
            #expect(await (try site.usher("key", "create", "--name", "x", "--scope", "admin", "--expires", "soon")).finish().code == 1)
        }
    }

    @Test("pages hold every booking once, whatever comes in between them, and a wrong parameter is named")
    func pages() async throws {
        try await site { site in
            for hour in 10..<17 { _ = try await site.book("open", at: "2027-03-01T\(hour):00:00Z") }
            var seen: [String] = []
            var cursor: String?
            repeat {
                let page = try await site.call("GET", "/v1/bookings?limit=3\(cursor.map { "&cursor=\($0)" } ?? "")").json
                seen += page["items"]?.array?.compactMap { $0["start"]?.string } ?? []
                cursor = page["nextCursor"]?.string
                _ = try await site.book("open", at: "2027-03-01T09:00:00Z")
            } while cursor != nil
            #expect(seen == (10..<17).map { "2027-03-01T\($0):00:00Z" })
            let part = try await site.call(
                "GET", "/v1/bookings?owner=ana&status=confirmed&from=2027-03-01T12:00:00Z&to=2027-03-01T14:00:00Z"
            ).json
            #expect(part["items"]?.array?.count == 2)
            let wrong = try await site.call("GET", "/v1/bookings?limit=0&statsu=x&from=now&cursor=!&status=gone")
            #expect(wrong.status == 422)
            #expect(
                Set(wrong.json["errors"]?.array?.compactMap { $0["pointer"]?.string } ?? []) == [
                    "/limit", "/statsu", "/from", "/cursor", "/status",
                ])
        }
    }

    @Test("a booking is moved, cancelled, retried and told of, and each call may be repeated")
    func changes() async throws {
        try await site { site in
            let id = try await site.book("open", at: "2027-03-01T10:00:00Z").json["id"]?.string ?? ""
            for _ in 1...2 {
                let moved = try await site.call("POST", "/v1/bookings/\(id)/reschedule", body: #"{"start": "2027-03-02T10:00:00Z"}"#)
                #expect(moved.status == 200 && moved.json["revision"] == 2)
            }
            #expect(try await site.call("POST", "/v1/bookings/\(id)/reschedule", body: #"{"strat": "x"}"#).status == 422)
            #expect(try await site.call("POST", "/v1/bookings/\(id)/retry").status == 200)
            for _ in 1...2 { #expect(try await site.call("POST", "/v1/bookings/\(id)/cancel").json["status"] == "cancelled") }
            let late = try await site.call("POST", "/v1/bookings/\(id)/reschedule", body: #"{"start": "2027-03-03T10:00:00Z"}"#)
            #expect(late.status == 409 && late.json["code"] == "booking.cancelled")
            let events =
                try await site.call("GET", "/v1/bookings/\(id)/timeline").json["items"]?.array?.compactMap { $0["event"]?.string } ?? []
            #expect(events.first == "booking.confirmed" && events.contains("booking.rescheduled") && events.contains("booking.cancelled"))
            #expect(try await site.call("GET", "/v1/bookings/bk_none/timeline").status == 404)
        }
    }
}
