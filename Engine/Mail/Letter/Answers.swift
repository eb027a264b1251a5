import UsherCore

extension Booking {
    /// What the person who booked answered, a line for each question, and their note: for the owner alone.
    var answersAndNote: String {
        let answers = (terms.type.questions ?? []).compactMap { question in
            details.answers[question.id].flatMap { $0.isEmpty ? nil : "\(question.ask) \($0)".withoutTurns }
        }
        return (answers + [details.note]).filter { !$0.isEmpty }.joined(separator: "\n")
    }
}
