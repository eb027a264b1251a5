import UsherCore

extension ConsentDescriptor {
    /// What a connection lacks, and who mends it; `nil` where it lacks nothing.
    func problem(_ missing: [Ability]) -> Problem? {
        guard !missing.isEmpty else { return nil }
        return Problem(
            .missingScope, "The \(name) app cannot \(missing.map(\.name).joined(separator: ", nor ")).",
            remedy: "The admin adds the scopes \(missing.compactMap(\.scopes.first).joined(separator: " ")) to the app; then connect again."
        )
    }
}
