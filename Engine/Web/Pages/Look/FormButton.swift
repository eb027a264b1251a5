/// The values of `button.html.mustache`: a form of one button.
struct FormButton: Sendable {
    var label, action: String
    var fields: [HiddenField]
    var isPlain, isQuiet: Bool

    init(
        _ label: String, action: String, key: String?, fields: [(String, String)] = [], isPlain: Bool = false, isQuiet: Bool = false
    ) {
        self.label = label
        self.action = action
        self.fields = HiddenField.all((key.map { [("key", $0)] } ?? []) + fields)
        self.isPlain = isPlain
        self.isQuiet = isQuiet
    }
}
