/// A meeting type's own words in a language that is not the site's.
public struct TypeTexts: Hashable, Sendable, Codable {
    /// `nil` where the file gives none.
    public var title: String?
    /// `nil` where the file gives none.
    public var description: String?
    /// `nil` where the file gives none.
    public var intro: String?
    /// By the question's id.
    public var questions: [String: String]

    /// Takes each property as it is.
    public init(title: String? = nil, description: String? = nil, intro: String? = nil, questions: [String: String] = [:]) {
        self.title = title
        self.description = description
        self.intro = intro
        self.questions = questions
    }
}

extension MeetingType {
    /// The meeting type with its words in a reader's language; those that the file does not have stay the site's.
    /// - Parameter language: a tag; its region counts where the file names it.
    public func spoken(in language: String) -> MeetingType {
        guard let translations, let texts = translations[language] ?? translations[Language.base(language)] else { return self }
        var type = self
        type.title = texts.title ?? title
        type.description = texts.description ?? description
        type.intro = texts.intro ?? intro
        type.questions = questions?.map { question in
            var question = question
            question.ask = texts.questions[question.id] ?? question.ask
            return question
        }
        return type
    }
}
