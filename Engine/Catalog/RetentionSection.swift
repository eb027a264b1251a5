import UsherCore
import Yams

/// `site.retention`
struct RetentionSection {
    private let report: Reporter

    static let keys = ["bookings", "audit", "mail-texts", "forms"]
    private static let ages = Duration.days(1)...Duration.days(36_500)

    init(_ report: Reporter) { self.report = report }

    func read(_ node: Node) -> Retention? {
        guard let fields = Fields(node, "site.retention", report) else { return nil }
        fields.refuseUnknown(Self.keys)
        var retention = Retention()
        retention.bookings = age("bookings", fields)
        retention.audit = age("audit", fields)
        retention.mailTexts = age("mail-texts", fields)
        retention.forms = age("forms", fields) ?? retention.forms
        return retention
    }

    /// A duration, or whole years: `2y` is 730 days.
    private func age(_ key: String, _ fields: Fields) -> Duration? {
        guard let (text, mark) = fields.text(key) else { return nil }
        let years = text.wholeMatch(of: /([0-9]{1,3})y/).flatMap { Int64($0.1) }.map { Duration.days($0 * 365) }
        guard let age = years ?? Duration(written: text), Self.ages.contains(age) else {
            report.error(.value, mark, "'site.retention.\(key)' must be days or years, such as 365d or 2y, from 1d to 100y")
            return nil
        }
        return age
    }
}

/// `site.privacy`, `site.terms`, `site.security`
struct SiteLinksSection {
    private let report: Reporter

    init(_ report: Reporter) { self.report = report }

    /// A page's address, which mails and pages lead to.
    func page(_ key: String, _ fields: Fields) -> String? {
        fields.text(key).flatMap { text, mark in
            guard Self.isPage(text) else {
                report.error(.value, mark, "'site.\(key)' must be a page's address: https://northwind.example/\(key)")
                return nil
            }
            return text
        }
    }

    /// A way to report holes (RFC 9116 §2.5.3).
    func contact(_ key: String, _ fields: Fields) -> String? {
        fields.text(key).flatMap { text, mark in
            if Self.isPage(text) || (text.hasPrefix("mailto:") && isMailAddress(String(text.dropFirst(7)))) { return text }
            report.error(
                .value, mark, "'site.\(key)' must be a way to report holes: mailto:security@northwind.example, or a page's https:// address"
            )
            return nil
        }
    }

    private static func isPage(_ text: String) -> Bool {
        text.hasPrefix("https://") && text.utf8.count <= 500
            && text.utf8.allSatisfy {
                $0 > 32 && $0 < 127 && $0 != UInt8(ascii: "\"") && $0 != UInt8(ascii: "<") && $0 != UInt8(ascii: ">")
            }
            && text.dropFirst(8).first.map { $0.isLetter || $0.isNumber || $0 == "[" } == true
    }
}
