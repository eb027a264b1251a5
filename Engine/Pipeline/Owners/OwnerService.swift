import Foundation
import UsherCore
import UsherStore
import UsherVault

/// Where owners are made and changed, and let in to their own page.
package struct OwnerService: Sendable {
    let context: EngineContext

    /// How long a link of a mail signs in.
    package static let linkLifetime = Duration.minutes(15)
    /// How long a session lasts that nobody uses.
    package static let sessionLifetime = Duration.hours(12)
    /// A browser keeps a session's cookie for so long at most.
    package static let longestSession = Duration.days(30)

    /// Works on the database of `context`.
    package init(_ context: EngineContext) { self.context = context }

    /// The owner of that id.
    /// - Throws: ``ErrorCode/notFound``.
    package func owner(_ id: String) async throws -> StoredOwner {
        guard let owner = try await context.store.read({ [catalog = context.catalog.current] in try $0.owner(id, in: catalog) }) else {
            throw Self.notFound(id)
        }
        return owner
    }

    /// The owner's connected accounts, and own apps.
    package func accounts(of id: String) async throws -> OwnerAccounts { try await context.store.read { try context.accounts(of: id, $0) } }

    /// Every owner, those of the file first.
    package func list() async throws -> [StoredOwner] {
        try await context.store.read { [catalog = context.catalog.current] in try $0.owners(in: catalog) }
    }

    /// Makes or changes an owner who is not in the file.
    /// - Parameter known: what is wrong with the form already.
    /// - Throws: ``ErrorCode/validationFailed`` with every finding, ``ErrorCode/ownerInFile``.
    package func put(_ owner: Owner, known findings: [UsherError.Finding] = []) async throws -> StoredOwner {
        var owner = owner
        owner.email = asciiMailAddress(owner.email) ?? owner.email
        owner.language = Language.normalized(owner.language) ?? owner.language
        let kept = owner
        let findings = findings + check(owner).filter { finding in !findings.contains { $0.pointer == finding.pointer } }
        guard findings.isEmpty else { throw UsherError(.validationFailed, "The owner cannot be kept as written.", findings: findings) }
        return try await context.store.write { tx in
            try refuseFile(try tx.owner(kept.id))
            try tx.put(kept)
            try context.audit("owner.put", kept.id, tx)
            guard let stored = try tx.owner(kept.id) else { throw Self.notFound(kept.id) }
            return stored
        }
    }

    /// An owner who is taken out takes no new bookings, and is let in nowhere; bookings that are made stay.
    package func remove(_ id: String) async throws {
        try await context.store.write { tx in
            guard let stored = try tx.owner(id), stored.isActive else { throw Self.notFound(id) }
            try refuseFile(stored)
            try context.removeOwner(id, tx)
        }
    }

    /// Sets the owner's own choice, which the file does not overrule; `nil` clears it.
    package func setDefault(_ provider: String?, of id: String) async throws -> StoredOwner {
        let names = context.catalog.current.providers.map(\.name)
        if let provider, !names.contains(provider) {
            let near = nearest(provider, names).map { " Did you mean '\($0)'?" } ?? " There are: \(names.joined(separator: ", "))."
            throw UsherError(
                .validationFailed, "No provider is called '\(provider.prefix(80))'.\(near)",
                findings: [.init("/provider", "must be one of: \(names.joined(separator: ", "))")])
        }
        return try await context.store.write { tx in
            guard try tx.owner(id) != nil else { throw Self.notFound(id) }
            try tx.setDefaultProvider(provider, owner: id)
            try context.audit("owner.default-provider", id, tx)
            guard let stored = try tx.owner(id) else { throw Self.notFound(id) }
            return stored
        }
    }

    private func refuseFile(_ stored: StoredOwner?) throws(UsherError) {
        if let stored, stored.isInFile {
            throw UsherError(.ownerInFile, "\(stored.owner.name) stands in meeting-types.yaml: change them there.")
        }
    }

    private func check(_ owner: Owner) -> [UsherError.Finding] {
        var findings: [UsherError.Finding] = []
        if owner.id.wholeMatch(of: /[a-z0-9][a-z0-9-]{0,63}/) == nil {
            findings.append(.init("/id", "small letters, digits and hyphens, at most 64, beginning with a letter or digit"))
        }
        if owner.name.trimmingBlanks.isEmpty || owner.name.unicodeScalars.count > Limits.name
            || owner.name.unicodeScalars.contains(where: \.isControl)
        {
            findings.append(.init("/name", "one line of 1 to \(Limits.name) characters"))
        }
        if !isMailAddress(owner.email) { findings.append(.init("/email", "'\(owner.email.prefix(80))' is not a mail address")) }
        if TimeZone(iana: owner.timeZone) == nil {
            findings.append(
                .init("/timeZone", "'\(owner.timeZone.prefix(80))' is not a time zone; write an IANA name such as Europe/Berlin"))
        }
        let schedules = context.catalog.current.schedules.map(\.name)
        if let schedule = owner.schedule, !schedules.contains(schedule) {
            findings.append(
                .init(
                    "/schedule",
                    "no schedule is called '\(schedule.prefix(80))'\(hint(schedule, schedules, otherwise: "; there are: \(schedules.joined(separator: ", "))"))"
                ))
        }
        if Language.normalized(owner.language) == nil { findings.append(.init("/language", Language.choices)) }
        return findings
    }

    private static func notFound(_ id: String) -> UsherError { UsherError(.notFound, "No owner is called '\(id.prefix(80))'.") }
}

extension StoredOwner: JSONObject {
    /// As generated clients know it.
    package static let schemaName = "Owner"
    /// Who takes bookings.
    package static let fields: [JSONField<StoredOwner>] = [
        .init("id", "Of the owner, for ever.") { $0.owner.id }, .init("name", "As mails and pages call them.") { $0.owner.name },
        .init("email", "Where their mail goes; also their address at providers, where none is given.") { $0.owner.email },
        .init("timeZone", "An IANA name.") { $0.owner.timeZone }, .init("language", "Of their mails and pages.") { $0.owner.language },
        .init("defaultProvider", "What they have chosen; null: the site's.") { $0.owner.defaultProvider },
        .init("schedule", "The owner's hours, as meeting-types.yaml names them.") { $0.owner.schedule },
        .init("limits", "How much the owner takes over all meeting types; null for no limit. Written in meeting-types.yaml.") {
            $0.owner.limits
        },
        .init("inFile", "Written in meeting-types.yaml, and changed there.") { $0.isInFile },
        .init("active", "Whether new bookings are taken.") { $0.isActive },
    ]
}

extension StoredConnection.Health: JSONChoice {}

extension StoredConnection: JSONObject {
    /// As generated clients know it.
    package static let schemaName = "Connection"
    /// An account and how it is; never a token.
    package static let fields: [JSONField<StoredConnection>] = [
        .init("provider", "The provider's name in meeting-types.yaml.") { $0.provider },
        .init("module", "The provider's module.") { $0.module },
        .group(
            "account", "Who the owner is at the service.",
            [
                .init("id", "The account's id at the service.") { $0.account.id },
                .init("email", "Its address, where the service tells it.") { $0.account.email },
                .init("name", "Its name, where the service tells it.") { $0.account.name },
            ]),
        .init("scopes", "What the owner has agreed to, in the service's words.") { $0.scopes },
        .init("health", "Whether it can be used.") { $0.health },
        .init("problem", "What is wrong and how to mend it; null while nothing is.") { $0.problem },
        .init("connectedAt", "When the owner agreed last.") { $0.connectedAt },
    ]
}
