import Foundation
import Hummingbird
import NIOCore
import UsherCore
import UsherMail
import UsherPipeline

/// A booking page for agents: what is offered, the questions, free times, and how to book by one call.
struct BookMarkdown {
    let visit: BookVisit
    let publicURL: String
    let slots: [SlotService.Slot]

    private static let mostSlots = 60

    static func list(_ types: [MeetingType], _ site: Site, publicURL: String) -> Response {
        let lines = types.map { type in
            let title = Placeholders.fill(type.title, ["owner.name": site.name, "site.name": site.name])
            return "- [\(escaped(title))](\(publicURL)/book/\(type.id).md): \(type.durations.map(\.inWords).joined(separator: ", "))"
        }
        return response("# \(escaped(site.name))\n\nWhat can be booked:\n\n\(lines.joined(separator: "\n"))\n")
    }

    var response: Response { Self.response(text) }

    private var text: String {
        let type = visit.offer.type
        let durations = type.durations.map { "`\($0.inWords)`" }.joined(separator: ", ")
        let about = visit.description.isEmpty ? "" : Self.escaped(visit.description) + "\n\n"
        return """
            # \(Self.escaped(visit.title))

            \(about)Lengths: \(durations). Times below: `\(visit.duration.inWords)`, with the offset of \(visit.zone.identifier).

            \(free)
            \(questions)## How to book

            `POST \(publicURL)\(visit.path)` with `Content-Type: application/json`, without a key:

            ```json
            \(example)
            ```

            \(answers)

            For other lengths or zones add `?duration=…&timeZone=Area/City` to this address. Five bookings an hour are taken from one address,
            and three a day with one mail address.

            """
    }

    private var free: String {
        guard !slots.isEmpty else { return "Nothing is free in the next 31 days.\n" }
        let lines = slots.prefix(Self.mostSlots).map { "- \($0.start.rfc3339(in: visit.zone))" }
        let more = slots.count > Self.mostSlots ? "\n- and \(slots.count - Self.mostSlots) more in the next 31 days" : ""
        return "## Free times\n\n\(lines.joined(separator: "\n"))\(more)\n"
    }

    private var questions: String {
        let all = visit.offer.type.questions ?? []
        guard !all.isEmpty else { return "" }
        let lines = all.map { question in
            let kind =
                switch question.kind {
                case .text: "text"
                case .choice: "one of \(question.choices.map { "`\($0)`" }.joined(separator: ", "))"
                case .checkbox: "`yes` or `no`"
                }
            return "- `\(question.id)` (\(kind), \(question.isRequired ? "required" : "optional")): \(Self.escaped(question.ask))"
        }
        return "## Questions\n\n\(lines.joined(separator: "\n"))\n\n"
    }

    private var example: String {
        let answers = (visit.offer.type.questions ?? []).filter(\.isRequired).map { question in
            let answer = question.kind == .choice ? question.choices.first ?? "" : question.kind == .checkbox ? Question.yes : "…"
            return JSON.Member(question.id, .string(answer))
        }
        let start = slots.first?.start.rfc3339(in: visit.zone) ?? "2027-01-04T10:00:00+01:00"
        return JSON.object([
            .init("start", .string(start)), .init("duration", .string(visit.duration.inWords)), .init("name", "Bo Li"),
            .init("email", "bo@example.org"), .init("timeZone", .string(visit.zone.identifier)), .init("language", .string(visit.language)),
            .init("note", ""), .init("answers", .object(answers)),
        ]).serialized
    }

    private var answers: String {
        visit.offer.page.confirmsByMail
            ? "202 `{\"status\": \"confirm-by-mail\", \"expiresAt\": …}`: the time is kept for 30 minutes, and booked once the person presses the link in the mail that they get. 409 names the nearest free times; 422 says what is wrong, by field."
            : "201 `{\"id\", \"start\", \"end\", \"joinPage\"}`: it is booked, and the person gets a mail. 409 names the nearest free times; 422 says what is wrong, by field."
    }

    /// Text that is not to be read as markup.
    private static func escaped(_ text: String) -> String {
        text.reduce(into: "") { out, character in
            if "\\`*_{}[]<>()#+!|".contains(character) { out.append("\\") }
            out.append(character.isNewline ? " " : character)
        }
    }

    private static func response(_ text: String) -> Response {
        Response(
            status: .ok, headers: [.contentType: "text/markdown; charset=utf-8", .vary: "Accept", .cacheControl: "no-store"],
            body: .init(byteBuffer: ByteBuffer(string: text)))
    }
}

/// The body of `POST /book/{type}[/{owner}]`.
struct PageBookingRequest: JSONRequest {
    var start: String
    var duration: String?
    var name: String
    var email: String
    var timeZone: String?
    var language: String?
    var note: String
    var answers: [String: String]

    static let schemaName = "PageBookingRequest"

    init(_ reader: inout JSONReader) {
        start = reader.required("start", "One of the free times.")
        duration = reader.text("duration")
        name = reader.required("name", "", .length(1...Limits.name))
        email = reader.required("email", "", .length(1...Limits.mailAddress))
        timeZone = reader.text("timeZone")
        language = reader.text("language", "", Language.rules)
        note = reader.text("note", "", .length(0...Limits.note)) ?? ""
        answers = reader.pairs("answers", ["type": ["object", "null"], "additionalProperties": ["type": "string"]])
    }

    func form(_ offer: PageBookings.Offer, _ site: Site) -> PageForm {
        PageForm(
            name: name, email: email, note: note, timeZone: timeZone ?? offer.owner?.timeZone ?? site.timeZone,
            language: language ?? site.language, answers: answers)
    }
}
