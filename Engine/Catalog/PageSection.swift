import UsherCore
import Yams

/// `page:` and `confirm-by-mail:` of a meeting type.
struct PageSection {
    private let report: Reporter
    private static let none = "none"

    init(_ report: Reporter) { self.report = report }

    func read(_ type: Fields, hasSlots: Bool) -> BookingPage? {
        let confirms = type["confirm-by-mail"].map { _ in type.bool("confirm-by-mail", true) }
        guard let (text, mark) = type.text("page"), text != Self.none else {
            if let node = type["confirm-by-mail"] {
                report.warning(
                    .value, node.place, "'\(type.path("confirm-by-mail"))' has no effect without 'page: public' or 'page: unlisted'")
            }
            return nil
        }
        guard let listing = BookingPage.Listing(rawValue: text) else {
            report.error(.value, mark, "'\(type.path("page"))' must be public, unlisted or none")
            return nil
        }
        if type.path.hasSuffix(".confirm") {
            report.error(
                .value, mark, "a meeting type called 'confirm' has no page: /book/confirm is where mails lead to; give it another id")
        }
        if !hasSlots {
            report.error(
                .value, mark, "'\(type.path("page"))' needs 'slots:' beside it, since guests choose among free times; 'slots: {}' will do")
        }
        return BookingPage(listing: listing, confirmsByMail: confirms ?? true)
    }
}

/// `questions:` of a meeting type.
struct QuestionSection {
    private let report: Reporter
    /// The site's.
    private let language: String
    /// More would be an examination.
    private static let most = 20

    init(_ report: Reporter, language: String) {
        self.report = report
        self.language = language
    }

    /// - Returns: the questions, and their words in other languages; no questions where the key is not written.
    func read(_ type: Fields) -> (questions: [Question]?, asked: [(id: String, text: SpokenText)]) {
        guard let node = type["questions"], let questions = Fields(node, type.path("questions"), report) else { return (nil, []) }
        if questions.all.count > Self.most {
            report.error(.value, questions.mark, "'\(questions.path)' has \(questions.all.count) questions; the most are \(Self.most)")
        }
        let read = questions.entries.compactMap { field in self.read(field, questions) }
        return (read.map(\.question), read.map { ($0.question.id, $0.text) })
    }

    private func read(_ field: Fields.Field, _ questions: Fields) -> (question: Question, text: SpokenText)? {
        checkID(field.key, field.mark, "a question's id", report)
        guard let fields = Fields(field.value, questions.path(field.key), report) else { return nil }
        fields.refuseUnknown(["ask", "kind", "required", "choices"])
        fields.require(["ask"])
        let ask = SpokenText(fields, "ask", site: language, report)
        let kind = fields.choice("kind", Question.Kind.text)
        let choices = fields.list("choices")
        if kind == .choice, choices.count < 2 {
            report.error(.missingKey, field.mark, "'\(fields.path)' needs 'choices: [one, other]', two at least")
        }
        if kind != .choice, let node = fields["choices"] {
            report.error(.value, node.place, "'\(fields.path("choices"))' belongs to 'kind: choice'")
        }
        let required = fields.bool("required", false)
        return ask.map {
            (Question(id: field.key, ask: $0.base, kind: kind, required: required, choices: choices.map(\.value)), $0)
        }
    }
}
