/// Which provider makes the room for a meeting type and an owner, and why.
public struct Resolution: Hashable, Sendable {
    /// A rule that was looked at, and what it said.
    public struct Step: Hashable, Sendable {
        /// What became of a rule: it named the provider, it did not apply, or it named one that cannot work now.
        public enum Outcome: String, Sendable, CaseIterable { case chosen, skipped, unusable }
        /// Which rule.
        public var rule: Because
        /// The provider that it names; `nil` where it names none.
        public var provider: String?
        /// What became of it.
        public var outcome: Outcome
        /// Why, in words for the admin.
        public var detail: String
    }

    /// The provider's name.
    public var provider: String
    /// The id of its module; empty where the provider is not in the catalogue any more.
    public var module: String
    /// The rule that named it.
    public var because: Because
    /// What keeps the provider from working now; the chain does not wander on.
    public var problem: Problem?
    /// Every rule in the order in which it was looked at.
    public var trace: [Step]
}

extension Catalog {
    /// Walks the chain: the request (where the type leaves a choice), the type, the owner's default, the site's. The trace ends with
    /// the type's fallbacks, which the chain does not go on to: they come when the provider has failed for good.
    ///
    /// - Parameters:
    ///   - requested: the provider that the booking request names.
    ///   - problem: what keeps a provider from working for this owner now, if anything.
    /// - Throws: ``ErrorCode/validationFailed`` when the request names a provider that the type does not offer.
    public func resolve(
        _ type: MeetingType, owner: Owner, requested: String? = nil, problem: (ProviderEntry) -> Problem?
    ) throws(UsherError) -> Resolution {
        var trace: [Resolution.Step] = []
        func choose(_ name: String, _ rule: Because) -> Resolution {
            let entry = provider(name) ?? ProviderEntry(name: name, module: "")
            let trouble =
                provider(name) == nil
                ? Problem(
                    .providerRemoved, "The provider '\(name)' does not stand in meeting-types.yaml any more.",
                    remedy: "Put it back under providers:, or choose another one.")
                : problem(entry)
            trace.append(
                .init(rule: rule, provider: name, outcome: trouble == nil ? .chosen : .unusable, detail: trouble?.message ?? "chosen"))
            for next in type.fallback where next != name {
                let readinessProblem = provider(next).flatMap(problem)
                trace.append(
                    .init(
                        rule: .fallback, provider: next, outcome: readinessProblem == nil ? .skipped : .unusable,
                        detail: readinessProblem?.message ?? "comes next where '\(name)' cannot make the room"))
            }
            return Resolution(provider: name, module: entry.module, because: rule, problem: trouble, trace: trace)
        }
        func skip(_ rule: Because, _ detail: String) {
            trace.append(.init(rule: rule, provider: nil, outcome: .skipped, detail: detail))
        }

        if let requested {
            try check(requested, isOfferedBy: type)
            return choose(requested, .request)
        }
        skip(.request, "the request names no provider")
        if type.provider != MeetingType.ownerDefault { return choose(type.provider, .meetingType) }
        skip(.meetingType, "provider: owner-default leaves the choice to the owner")
        if let name = owner.defaultProvider { return choose(name, .ownerDefault) }
        skip(.ownerDefault, "\(owner.name) has set no default provider")
        return choose(site.defaultProvider, .siteDefault)
    }

    private func check(_ requested: String, isOfferedBy type: MeetingType) throws(UsherError) {
        // Where choices: is written, those alone; else a type that leaves the choice open takes any.
        let offered = type.choices.isEmpty && type.provider == MeetingType.ownerDefault ? providers.map(\.name) : type.choices
        guard offered.contains(requested), provider(requested) != nil else {
            let remedy =
                offered.isEmpty
                ? "leave it out: this type is fixed to '\(type.provider)'" : "must be one of: \(offered.joined(separator: ", "))"
            throw UsherError(
                .validationFailed, "The meeting type '\(type.id)' cannot be booked with the provider '\(requested)'.",
                findings: [.init("/provider", remedy)])
        }
    }
}
