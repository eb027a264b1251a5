import UsherCore
import Yams

/// `site.busy`
struct BusySection {
    private let report: Reporter

    /// Neither so short that every pause of a service closes an owner, nor so long that nobody would notice.
    private static let ages = Duration.minutes(10)...Duration.days(7)

    init(_ report: Reporter) { self.report = report }

    func read(_ node: Node) -> BusyRules? {
        guard let fields = Fields(node, "site.busy", report) else { return nil }
        fields.refuseUnknown(["max-age", "when-stale"])
        var rules = BusyRules.usual
        if let (text, mark) = fields.text("max-age"), let age = fields.duration(text, mark, "max-age") {
            if !Self.ages.contains(age) { report.error(.value, mark, "'site.busy.max-age' must be from 10m to 7d") }
            rules.maxAge = age
        }
        if let (text, mark) = fields.text("when-stale") {
            if let choice = BusyRules.WhenStale(rawValue: text) {
                rules.whenStale = choice
            } else {
                report.error(.value, mark, "'site.busy.when-stale' must be closed or open")
            }
        }
        return rules
    }
}
