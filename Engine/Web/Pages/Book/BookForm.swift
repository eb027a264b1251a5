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

    /// The form (`guest.html.mustache`).
    func body(_ hold: StoredHold) -> HTML {
        let kept = visit.time(hold.expiresAt, hold.expiresAt).time
        return HTML(
            .guest,
            Values(
                time: visit.part(hold.start, hold.end), keptUntil: words(.keptUntil, ["time": kept]),
                otherPath: visit.url(day: CalendarDate(WallTime(hold.start, in: visit.zone))), otherTime: words(.otherTime),
                onceMore: findings.isEmpty ? nil : words(.onceMore), path: visit.path,
                carried: HiddenField.all(visit.carried + [("step", "form"), ("hold", hold.id)]), inputs: inputs, trap: Self.trap,
                book: words(.book)))
    }

    /// The time went to somebody else: nearest ones, and what was typed is kept.
    func taken(_ nearest: [Instant]) -> HTML {
        let kept = BookVisit.typed(typed).sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
        return MessagePart(
            notice: NoticePart(.warn, words(.gone), isUrgent: true),
            offered: BookMonth.times(nearest, visit, visit.carried + [("step", "time")] + kept, isOfManyDays: true),
            ways: [WayPart(wayPath: visit.url(), wayName: words(.otherTime))]
        ).html
    }

    /// The values of `guest.html.mustache`.
    private struct Values {
        var time: TimePart
        var keptUntil, otherPath, otherTime: String
        var onceMore: String?
        var path: String
        var carried: [HiddenField]
        var inputs: [Input]
        var trap, book: String
    }

    /// The values of `input.html.mustache`: a field with its label, and what is wrong with it.
    private struct Input {
        var inputID, inputName: String
        var inputValue: String
        var isRequired: Bool
        var optional, wrong: String?
        var longest = "200"
        var inputType = "text"
        var autocomplete: String?
        var isText = false
        var isLong = false
        var isCheckbox = false
        var isChoice = false
        var checkedValue = Question.yes
        var isChecked = false
        var options: [OptionPart] = []
    }

    // MARK: Fields

    private var inputs: [Input] {
        var name = input("name", words(.name), "/attendees/0/name", isRequired: true)
        (name.isText, name.autocomplete, name.longest) = (true, "name", "\(Limits.name)")
        var email = input("email", words(.mail), "/attendees/0/email", isRequired: true)
        (email.isText, email.inputType, email.autocomplete, email.longest) = (true, "email", "email", "\(Limits.mailAddress)")
        var note = input("note", words(.noteField), "/note", isRequired: false)
        (note.isLong, note.longest) = (true, "\(Limits.note)")
        return [name, email] + (visit.offer.type.questions ?? []).map(input) + [note]
    }

    private func input(_ id: String, _ label: String, _ pointer: String, isRequired: Bool) -> Input {
        Input(
            inputID: id, inputName: label, inputValue: typed[id] ?? "", isRequired: isRequired,
            optional: isRequired ? nil : words(.optional), wrong: problem(pointer))
    }

    private func input(_ question: Question) -> Input {
        var input = input("q-\(question.id)", question.ask, "/answers/\(question.id)", isRequired: question.isRequired)
        switch question.kind {
        case .text: (input.isText, input.longest) = (true, "\(Question.longestAnswer)")
        case .checkbox: (input.isCheckbox, input.isChecked) = (true, input.inputValue == Question.yes)
        case .choice:
            input.isChoice = true
            input.options = question.choices.map { OptionPart(optionValue: $0, optionName: $0, isChosen: $0 == input.inputValue) }
        }
        return input
    }

    private func problem(_ pointer: String) -> String? {
        guard let finding = findings.first(where: { $0.pointer == pointer }) else { return nil }
        if pointer.hasSuffix("/email") { return words(.noMail) }
        return finding.detail.contains("required") || finding.detail.contains("\"yes\"") ? words(.fillIn) : finding.detail
    }
}
