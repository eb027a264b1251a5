import Foundation
import Hummingbird
import UsherCore
import UsherMail
import UsherPipeline
import UsherStore

/// The form that a guest fills in while a time is held.
struct BookForm {
    let visit: BookVisit
    /// As they were typed.
    var typed: [String: String] = [:]
    /// What is wrong, by the fields of ``BookingRequest``.
    var findings: [UsherError.Finding] = []

    /// A field that people do not see: whoever fills it in is none.
    static let trap = "website"

    private var words: PageWords { visit.words }

    /// What was typed, as it is checked and kept.
    static func read(_ form: [String: String], _ visit: BookVisit) -> PageForm {
        var answers: [String: String] = [:]
        for question in visit.offer.type.questions ?? [] {
            let answer = (form["q-\(question.id)"] ?? "").trimmingBlanks
            if !answer.isEmpty { answers[question.id] = answer }
        }
        return PageForm(
            name: (form["name"] ?? "").trimmingBlanks, email: (form["email"] ?? "").trimmingBlanks,
            note: (form["note"] ?? "").trimmingBlanks, timeZone: visit.zone.identifier, language: visit.language, answers: answers)
    }

    // MARK: Pages

    func body(_ hold: StoredHold, now: Instant) -> HTML {
        let kept = visit.time(hold.expiresAt, hold.expiresAt).time
        let again: HTML =
            findings.isEmpty ? "" : "<p class=bad role=alert tabindex=-1>\(words(.onceMore))</p>"
        return BookForm.when(visit, hold.start, hold.end)
            + "<p class=quiet>\(words(.keptUntil, ["time": kept])) <a href=\"\(visit.url(day: CalendarDate(WallTime(hold.start, in: visit.zone))))\">\(words(.otherTime))</a></p>\(again)"
            + "<form class=stack method=post action=\"\(visit.path)\">\(BookMonth.hidden(visit.carried + [("step", "form"), ("hold", hold.id)]))\(fields)<button class=button>\(words(.book))</button></form>"
    }

    /// The time went to somebody else: nearest ones, and what was typed is kept.
    func taken(_ nearest: [Instant]) -> HTML {
        let kept = BookVisit.typed(typed).sorted { $0.key < $1.key }
        return
            "<p role=alert>\(words(.gone))</p><form class=times method=post action=\"\(visit.path)\">\(BookMonth.hidden(visit.carried + [("step", "time")] + kept.map { ($0.key, $0.value) }))\(BookMonth.buttons(nearest, visit, withDay: true))</form><p><a href=\"\(visit.url())\">\(words(.otherTime))</a></p>"
    }

    static func when(_ visit: BookVisit, _ start: Instant, _ end: Instant) -> HTML {
        let time = visit.time(start, end)
        return
            "<p class=when dir=auto><time datetime=\"\(start.rfc3339)\">\(time.date)<br>\(time.range)</time></p><p class=zone dir=auto>\(time.zone)</p>"
    }

    // MARK: Fields

    private var fields: HTML {
        input("name", words(.name), "/attendees/0/name", "autocomplete=name maxlength=\(Limits.name)", isRequired: true)
            + input(
                "email", words(.mail), "/attendees/0/email", "type=email autocomplete=email maxlength=\(Limits.mailAddress)",
                isRequired: true)
            + (visit.offer.type.questions ?? []).map(question).joined() + note
            + "<p class=trap aria-hidden=true><label>Website <input name=\(Self.trap) tabindex=-1 autocomplete=off></label></p>"
    }

    private func problem(_ pointer: String) -> String? {
        guard let finding = findings.first(where: { $0.pointer == pointer }) else { return nil }
        if pointer.hasSuffix("/email") { return words(.noMail) }
        return finding.detail.contains("required") || finding.detail.contains("\"yes\"") ? words(.fillIn) : finding.detail
    }

    /// The label with what is wrong below it, tied to the field for those who hear the page.
    private func labelled(_ id: String, _ label: String, _ pointer: String, isRequired: Bool, _ field: (HTML) -> HTML) -> HTML {
        let wrong = problem(pointer)
        let mark: HTML = isRequired ? "" : " <span class=quiet>(\(words(.optional)))</span>"
        let tie: HTML = wrong == nil ? "" : " aria-invalid=true aria-describedby=\"\(id)-wrong\""
        let message: HTML = wrong.map { text -> HTML in "<span class=bad id=\"\(id)-wrong\">\(text)</span>" } ?? ""
        return "<label for=\"\(id)\"><bdi>\(label)</bdi>\(mark)</label>\(field(tie))\(message)"
    }

    private func input(_ name: String, _ label: String, _ pointer: String, _ attributes: HTML, isRequired: Bool) -> HTML {
        labelled(name, label, pointer, isRequired: isRequired) { tie in
            "<input id=\"\(name)\" name=\"\(name)\" \(attributes) value=\"\(typed[name] ?? "")\"\(isRequired ? " required" : "" as HTML)\(tie)>"
        }
    }

    private var note: HTML {
        labelled("note", words(.noteField), "/note", isRequired: false) { tie in
            "<textarea id=note name=note rows=3 maxlength=\(Limits.note)\(tie)>\(typed["note"] ?? "")</textarea>"
        }
    }

    private func question(_ question: Question) -> HTML {
        let (name, value) = ("q-\(question.id)", typed["q-\(question.id)"] ?? "")
        let required: HTML = question.isRequired ? " required" : ""
        return labelled(name, question.ask, "/answers/\(question.id)", isRequired: question.isRequired) { tie in
            switch question.kind {
            case .text:
                return "<input id=\"\(name)\" name=\"\(name)\" maxlength=\(Question.longestAnswer) value=\"\(value)\"\(required)\(tie)>"
            case .checkbox:
                return
                    "<input id=\"\(name)\" type=checkbox name=\"\(name)\" value=\"\(Question.yes)\"\(value == Question.yes ? " checked" : "" as HTML)\(required)\(tie)>"
            case .choice:
                let options = question.choices.map { choice -> HTML in
                    "<option\(choice == value ? " selected" : "" as HTML)>\(choice)</option>"
                }
                return "<select id=\"\(name)\" name=\"\(name)\"\(required)\(tie)><option value=\"\"></option>\(options.joined())</select>"
            }
        }
    }
}
