import ProviderSupport
import UsherCore

/// What an account asks of passcodes.
/// Source: https://developers.zoom.us/docs/api/users/ (user settings, `meeting_password_requirement`).
struct ZoomPasscodePolicy {
    private let length: Int
    private let needsLetter: Bool
    private let needsDigit: Bool
    private let needsSpecial: Bool
    private let needsBothCases: Bool
    private let onlyDigits: Bool
    private let runLength: Int

    /// - Parameter settings: the user's settings; `nil` when they cannot be read: then a passcode that most policies take.
    init(_ settings: JSON?) {
        let rules = settings?["schedule_meeting"]?["meeting_password_requirement"]
        func rule(_ name: String, _ fallback: Bool) -> Bool { rules?[name]?.bool ?? (rules == nil && fallback) }
        length = min(max(Int(rules?["length"]?.int ?? 8), 8), 10)
        needsLetter = rule("have_letter", true)
        needsDigit = rule("have_number", true)
        needsSpecial = rule("have_special_character", true)
        needsBothCases = rule("have_upper_and_lower_characters", true)
        onlyDigits = rule("only_allow_numeric", false)
        runLength = Int(rules?["consecutive_characters_length"]?.int ?? 0)
    }

    /// A random passcode that fits: digits alone where they are enough, because then the phone's is the same.
    func passcode(_ environment: Environment) -> String {
        while true {
            let candidate = draw(environment)
            if !hasRun(candidate) { return candidate }
        }
    }

    private func draw(_ environment: Environment) -> String {
        let digitsSuffice = onlyDigits || !(needsLetter || needsSpecial || needsBothCases)
        if digitsSuffice { return environment.pick(length, from: PasscodeAlphabet.digits) }
        var parts = environment.pick(1, from: PasscodeAlphabet.lower) + environment.pick(1, from: PasscodeAlphabet.digits)
        if needsBothCases { parts += environment.pick(1, from: PasscodeAlphabet.upper) }
        if needsSpecial { parts += environment.pick(1, from: Array("@*-".utf8)) }
        parts += environment.pick(length - parts.utf8.count, from: PasscodeAlphabet.lower + PasscodeAlphabet.digits)
        return parts
    }

    /// `abc`, `321` or `aaa` of the forbidden length.
    private func hasRun(_ text: String) -> Bool {
        guard runLength > 1 else { return false }
        let bytes = Array(text.utf8).map(Int.init)
        return [-1, 0, 1].contains { step in
            var run = 1
            return zip(bytes, bytes.dropFirst()).contains { pair in
                run = pair.1 - pair.0 == step ? run + 1 : 1
                return run >= runLength
            }
        }
    }
}
