import UsherCore
import Yams

/// `slots:` and `hosts:` of a meeting type.
struct SlotSection {
    private let report: Reporter
    private let schedules: ScheduleNames
    private let owners: [String: Owner]

    init(_ report: Reporter, _ schedules: ScheduleNames, _ owners: [Owner]) {
        self.report = report
        self.schedules = schedules
        self.owners = Dictionary(owners.map { ($0.id, $0) }, uniquingKeysWith: { first, _ in first })
    }

    /// Both keys, which are read together.
    func read(_ type: Fields, _ durations: [Duration]) -> (rules: SlotRules?, hosts: [PoolHost]?) {
        let named = named(type)
        return (rules(type, durations, named), hosts(type, named))
    }

    private func rules(_ type: Fields, _ durations: [Duration], _ named: [(value: String, mark: Place?)]) -> SlotRules? {
        guard let node = type["slots"], let fields = Fields(node, type.path("slots"), report) else { return nil }
        fields.refuseUnknown(["schedule", "step", "notice", "horizon", "buffer", "limits", "hold"])
        let buffer = fields["buffer"].flatMap { Fields($0, fields.path("buffer"), report) }
        buffer?.refuseUnknown(["before", "after"])
        let step = minutes(fields, "step", .minutes(1)...(.days(1)))
        var rules = SlotRules(
            schedule: schedules.name(fields, "schedule"), step: step,
            notice: minutes(fields, "notice", .zero...(.days(365))) ?? .zero, horizon: horizon(fields) ?? SlotRules.usualHorizon,
            buffer: SlotBuffer(
                before: buffer.flatMap { minutes($0, "before", .zero...SlotRules.longestBuffer) } ?? .zero,
                after: buffer.flatMap { minutes($0, "after", .zero...SlotRules.longestBuffer) } ?? .zero),
            limits: fields["limits"].flatMap { SlotLimits($0, fields.path("limits"), report) } ?? SlotLimits())
        if let hold = minutes(fields, "hold", SlotRules.holds) { rules.hold = hold }
        warn(rules, fields, durations)
        checkHosts(named, type, rules)
        return rules
    }

    /// Where buffers and step lose every second slot: the first start after a meeting with its free time comes a whole step late.
    private func warn(_ rules: SlotRules, _ fields: Fields, _ durations: [Duration]) {
        guard let shortest = durations.min() else { return }
        let (step, gap) = (rules.step ?? shortest, max(rules.buffer.before, rules.buffer.after))
        let taken = (shortest + gap).wholeSeconds
        let lost = (step.wholeSeconds - taken % step.wholeSeconds) % step.wholeSeconds
        guard gap > .zero, step.wholeSeconds > 0, lost * 2 >= step.wholeSeconds else { return }
        report.warning(
            .value, (fields["buffer"] ?? fields["step"])?.place,
            "after a meeting of \(shortest.inWords) with \(gap.inWords) of free time \(Duration.seconds(lost).inWords) are lost until the next slot, since one begins every \(step.inWords): with a 'step' of \((shortest + gap).inWords), or of 5m, none are"
        )
    }

    /// Hosts who stand in the file need hours.
    private func checkHosts(_ named: [(value: String, mark: Place?)], _ type: Fields, _ rules: SlotRules) {
        guard rules.schedule == nil else { return }
        for host in named where owners[host.value].map({ $0.schedule == nil }) == true {
            report.error(
                .reference, host.mark,
                "'\(host.value)' has no hours: give the owner or '\(type.path("slots"))' a 'schedule'")
        }
    }

    /// A whole number of minutes.
    private func minutes(_ fields: Fields, _ key: String, _ range: ClosedRange<Duration>) -> Duration? {
        guard let (text, mark) = fields.text(key) else { return nil }
        if range.contains(.zero), ["0", "0m", "0s", "0h"].contains(text) { return .zero }
        guard let duration = fields.duration(text, mark, key) else { return nil }
        if !range.contains(duration) || duration.wholeSeconds % 60 != 0 {
            let least = range.lowerBound == .zero ? "0m" : range.lowerBound.inWords
            report.error(.value, mark, "'\(fields.path(key))' must be whole minutes, from \(least) to \(range.upperBound.inWords)")
        }
        return duration
    }

    private func horizon(_ fields: Fields) -> Int? {
        guard let (text, mark) = fields.text("horizon") else { return nil }
        guard let duration = fields.duration(text, mark, "horizon") else { return nil }
        let days = duration.wholeSeconds / 86_400
        if duration.wholeSeconds % 86_400 != 0 || days > 1_825 {
            report.error(.value, mark, "'\(fields.path("horizon"))' must be whole days, from 1d to 1825d")
        }
        return Int(days)
    }

    // MARK: Hosts

    /// A list of owners, or a mapping of owners to weights.
    private func hosts(_ type: Fields, _ names: [(value: String, mark: Place?)]) -> [PoolHost]? {
        guard let node = type["hosts"] else { return nil }
        for host in names where owners[host.value] == nil {
            let known = owners.keys.sorted()
            report.error(
                .reference, host.mark,
                "'\(type.path("hosts"))' names the owner '\(host.value)', who does not stand under owners\(hint(host.value, known, otherwise: known.isEmpty ? "" : "; there are: \(known.joined(separator: ", "))"))"
            )
        }
        if case .mapping(let mapping) = node, mapping.isEmpty {
            report.error(.value, node.place, "'\(type.path("hosts"))' is empty; name an owner, or leave it out")
        }
        guard case .mapping = node, let weights = Fields(node, type.path("hosts"), report) else {
            return names.map { PoolHost(owner: $0.value) }
        }
        return names.map { PoolHost(owner: $0.value, weight: weights.number($0.value, 1...1_000) ?? 1) }
    }

    private func named(_ type: Fields) -> [(value: String, mark: Place?)] {
        guard let node = type["hosts"] else { return [] }
        if case .mapping = node { return Fields(node, type.path("hosts"), report)?.all.map { ($0.key, $0.mark) } ?? [] }
        return type.list("hosts")
    }
}
