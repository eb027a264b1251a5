import UsherPipeline

/// The buttons that a visitor of the admin's page is shown: those that their role lets them press.
struct AdminButtons: Sendable {
    /// What the forms of their session carry.
    let formKey: String
    let role: AdminRole

    /// The one place that says who may press what; whoever may look may sign out.
    private static func needed(for action: String) -> AdminRole {
        switch action {
        case "/admin/signout", "/admin/signout-everywhere": .viewer
        case "/admin/release": .admin
        default: .operator
        }
    }

    func allow(_ action: String) -> Bool { role >= Self.needed(for: action) }

    /// A form of one button; `nil` where a press would be refused.
    func callAsFunction(_ label: String, action: String, fields: [(String, String)] = [], isPlain: Bool = false) -> FormButton? {
        allow(action) ? FormButton(label, action: action, key: formKey, fields: fields, isPlain: isPlain) : nil
    }
}
