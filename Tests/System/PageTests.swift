import Foundation
import ProviderSandbox
import Testing
import UsherCore

/// The pages behind the links in the mail, as a browser walks them.
@Suite(.timeLimit(.minutes(3)))
struct PageTests {
    private static let catalog = Site.catalog.replacing(
        "open: {", with: "later: { title: \"On join\", duration: 30m, provision: on-join, overlap: allow }\n  open: {")

    private func site(_ body: (Site) async throws -> Void) async throws {
        let site = try await Site(catalog: Self.catalog)
        let server = try await site.serve()
        try await body(site)
        server.kill()
        await site.close()
    }

    @Test("an attendee moves the meeting and cancels it, each by a second press, and opening a link changes nothing")
    func manage() async throws {
        try await site { site in
            let booked = try await site.book("open", at: "2027-03-01T10:00:00Z").json
            let (id, path) = (booked["id"]?.string ?? "", booked["managePage"]?.string ?? "")
            let page = try await site.browse(path)
            // Bo reads in New York.
            #expect(page.page.contains("5:00 – 5:30 AM") && page.page.contains("value=\"2027-03-01T05:00\""))
            let asked = try await site.browse(path + "/reschedule", form: ["start": "2027-03-02T06:30"])
            #expect(asked.status == 200 && asked.page.contains("6:30 – 7:00 AM") && asked.page.contains("value=\"2027-03-02T11:30:00Z\""))
            #expect(try await site.call("GET", "/v1/bookings/\(id)").json["start"] == "2027-03-01T10:00:00Z")
            #expect(try await site.browse(path + "/reschedule", form: ["start": "2027-03-02T11:30:00Z", "sure": "yes"]).status == 303)
            #expect(try await site.call("GET", "/v1/bookings/\(id)").json["start"] == "2027-03-02T11:30:00Z")

            #expect(try await site.browse(path + "/cancel", form: [:]).page.contains("Yes, cancel it"))
            #expect(try await site.call("GET", "/v1/bookings/\(id)").json["status"] == "confirmed")
            #expect(try await site.browse(path + "/cancel", form: ["sure": "yes"]).status == 303)
            #expect(try await site.call("GET", "/v1/bookings/\(id)").json["status"] == "cancelled")
            #expect(try await site.browse(path).page.contains("This meeting is cancelled."))
            #expect(
                try await site.browse(path + "/reschedule", form: ["start": "2027-03-03T11:30:00Z", "sure": "yes"]).page.contains(
                    "cancelled"))
        }
    }

    @Test("a time that is taken, skipped, repeated, past or none is answered in words, and changes nothing")
    func badTimes() async throws {
        try await site { site in
            _ = try await site.book(at: "2027-03-03T10:00:00Z")
            let booked = try await site.book(at: "2027-03-01T10:00:00Z").json
            let path = booked["managePage"]?.string ?? ""
            func press(_ start: String, sure: Bool = false) async throws -> String {
                try await site.browse(path + "/reschedule", form: ["start": start].merging(sure ? ["sure": "yes"] : [:]) { $1 }).page
            }
            #expect(try await press("2027-03-03T10:00:00Z", sure: true).contains("another booking at that time"))
            #expect(try await press("2020-03-03T10:00:00Z", sure: true).contains("is over"))
            #expect(try await press("2027-03-14T02:30").contains("skip that time"))
            #expect(try await press("2027-11-07T01:30").components(separatedBy: "Yes, move it there").count == 3)
            #expect(try await press("tomorrow").contains("Choose a day"))
            #expect(try await press("").contains("Choose a day"))
            #expect(try await site.call("GET", "/v1/bookings/\(booked["id"]?.string ?? "")").json["start"] == "2027-03-01T10:00:00Z")
            #expect(try await site.browse("/manage/nonsense/cancel", form: ["sure": "yes"]).status == 404)
        }
    }

    @Test("a room on join is made by the first press, once, under any number of presses, and its mail leads to the join page")
    func onJoin() async throws {
        try await site { site in
            let booked = try await site.book("later", at: "2027-03-01T10:00:00Z").json
            let (id, path) = (booked["id"]?.string ?? "", booked["joinPage"]?.string ?? "")
            let mail = try await site.mail { $0.recipient == "bo@example.org" }
            #expect(try await Site.read(mail.content)["text"]?.string?.contains(path) == true)
            let page = try await site.browse(path).page
            #expect(page.contains("Start or join the meeting") && page.contains("It begins in"))
            #expect(site.zoom.meetings.isEmpty)
            try await withThrowingTaskGroup(of: Int.self) { group in
                for _ in 0..<20 { group.addTask { try await site.browse(path, form: [:]).status } }
                for try await status in group { #expect(status == 303) }
            }
            let ready = try await site.booking(id) { $0["meeting"]?["status"] == "ready" }
            #expect(ready["meeting"]?["status"] == "ready" && ready["revision"] == 1)
            #expect(site.zoom.ledger.count { $0.event == .created } == 1)
            #expect(try await site.browse(path).page.contains("Join the meeting</a>"))
            #expect(try site.received().count { $0.recipient == "bo@example.org" } == 1)
        }
    }

    @Test("a time that was refused stands in the field again on the way back")
    func keepsWhatWasTyped() async throws {
        try await site { site in
            _ = try await site.book(at: "2027-03-03T10:00:00Z")
            let path = try await site.book(at: "2027-03-01T10:00:00Z").json["managePage"]?.string ?? ""
            let refused = try await site.browse(path + "/reschedule", form: ["start": "2027-03-03T10:00:00Z", "sure": "yes"]).page
            let back = try #require(refused.firstMatch(of: #/href="(\/manage\/[^"]*start=[^"]*)"/#)?.1)
            #expect(try await site.browse(String(back)).page.contains("value=\"2027-03-03T05:00\""))
            #expect(try await site.browse(path + "?start=%22%3E%3Cscript%3E").page.contains("value=\"2027-03-01T05:00\""))
        }
    }

    @Test("while the meeting runs the join page says so")
    func running() async throws {
        try await site { site in
            // The next whole minute that leaves time to book it.
            let start = Instant(seconds: ((Environment.system.now() + .seconds(5)).seconds / 60 + 1) * 60).rfc3339
            let path = try await site.book("open", at: start).json["joinPage"]?.string ?? ""
            let end = ContinuousClock.now + .seconds(90)
            while try await !site.browse(path).page.contains("The meeting has begun."), ContinuousClock.now < end {
                try await Task.sleep(for: .milliseconds(100))
            }
            #expect(try await site.browse(path).page.contains("The meeting has begun."))
        }
    }

    @Test("both pages speak the reader's language, from right to left where it is written so")
    func language() async throws {
        try await site { site in
            let body =
                #"{"meetingType": "consultation", "owner": "ana", "start": "2027-03-01T10:00:00Z", "attendees": [{"email": "bo@example.org", "language": "ar"}]}"#
            let booked = try await site.call("POST", "/v1/bookings", body: body).json
            let id = booked["id"]?.string ?? ""
            _ = try await site.booking(id, Site.isDone)
            let join = try await site.browse(booked["joinPage"]?.string ?? "").page
            #expect(join.contains("<html lang=\"ar\" dir=\"rtl\">") && join.contains("الانضمام إلى الاجتماع</a>"))
            let manage = try await site.browse(booked["managePage"]?.string ?? "")
            #expect(manage.page.contains("إلغاء الاجتماع</button>"))
        }
    }

    @Test("the join page offers calendars, and its file is a plain event that invites nobody")
    func calendars() async throws {
        try await site { site in
            let booked = try await site.book(at: "2027-03-01T10:00:00Z").json
            let path = booked["joinPage"]?.string ?? ""
            let page = try await site.browse(path).page
            #expect(page.contains("https://calendar.google.com/calendar/render?action=TEMPLATE&amp;text=Consultation%20with%20Ana%20Ruiz"))
            let file = try await site.browse(path + "/invite.ics")
            #expect(file.page.contains("METHOD:PUBLISH\r\n") && !file.page.contains("ATTENDEE"))
            #expect(try await site.browse("/join/nonsense/invite.ics").status == 404)
        }
    }
}
