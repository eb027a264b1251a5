import UsherCore
import UsherMail
import UsherPipeline
import UsherStore

/// The admin's look at connections, mail, webhooks, the audit and the catalogue.
extension AdminViews {
    func connections() async throws -> Shown {
        let all = try await context.store.read { try $0.connections(limit: Self.most) }
        let rows = all.map { connection -> [Cell] in
            [
                .text(connection.ownerID), .text(connection.provider), .text(connection.account.email),
                .chip(connection.health == .ok ? .good : .bad, connection.health == .ok ? "works" : connection.health.rawValue),
                .text("\(connection.problem?.message ?? "") \(connection.problem?.remedy ?? "")"), .time(connection.connectedAt),
            ]
        }
        return Shown(
            title: "Connections",
            sections: [
                SectionPart(
                    table: TablePart(
                        ["Owner", "Provider", "Account", "Health", "Problem", "Since"], rows,
                        empty: "Nobody has connected an account yet. Owners do on their page; `usher owner link` prints the way in."))
            ])
    }

    func mail() async throws -> Shown {
        let (waiting, refused, notices) = try await context.store.read {
            (
                try $0.waitingMails(limit: Self.most), try $0.refusedMails(limit: Self.most), try $0.unsentNotices(limit: Self.most)
            )
        }
        let letters = notices.map { [Cell.time($0.writtenAt), .text($0.subject), .text($0.state.rawValue), .text($0.problem ?? "")] }
        return Shown(
            title: "Mail",
            sections: [
                SectionPart(heading: "Waiting to leave", table: mails(waiting)), SectionPart(heading: "Refused", table: mails(refused)),
                SectionPart(
                    heading: "Letters to owners that have not left",
                    table: TablePart(["Written", "About", "State", "Why"], letters, empty: "None.")),
            ])
    }

    private func mails(_ mails: [OutboxMail]) -> TablePart {
        let rows = mails.map { mail -> [Cell] in
            [
                .time(mail.writtenAt), .link("/admin/bookings/\(mail.bookingID)", mail.bookingID),
                .text("\(mail.kind.rawValue) to \(mail.reader.role)"), .text(mail.problem ?? ""),
            ]
        }
        return TablePart(["Written", "Booking", "Mail", "Why"], rows, empty: "None.")
    }

    func webhooks(_ buttons: AdminButtons) async throws -> Shown {
        let all = try await hooks.list()
        let rows = all.map { hook -> [Cell] in
            [
                .link("/admin/webhooks/\(hook.id)", hook.url), .text(hook.state.rawValue), .text(hook.problem ?? ""),
                .text(hook.events.joined(separator: ", ")),
            ]
        }
        return Shown(
            title: "Webhooks",
            sections: [
                SectionPart(table: TablePart(["Address", "State", "Problem", "Events"], rows, empty: "None. POST /v1/webhooks makes one."))
            ])
    }

    func webhook(_ id: String, _ query: QueryFields, _ buttons: AdminButtons) async throws -> Shown {
        var query = query
        let hook = try await hooks.webhook(id)
        let page = try await hooks.deliveries(of: id, before: query.cursor(), limit: Self.shown)
        let next = page.next.map { QueryFields.cursor($0.start, $0.id) }
        let enable = hook.state == .disabled ? buttons("Turn it on again", action: "/admin/enable", fields: [("webhook", id)]) : nil
        return Shown(
            title: "Webhook",
            sections: [
                SectionPart(
                    notice: hook.problem.map { NoticePart(.bad, $0) }, lines: ["\(hook.url): \(hook.state.rawValue)"],
                    table: deliveries(page.items, buttons), actions: SectionPart.actions(enable),
                    ways: next.map { [WayPart(wayPath: "/admin/webhooks/\(id)?cursor=\($0)", wayName: "Earlier ones")] } ?? [])
            ])
    }

    /// - Parameter buttons: `nil` shows none.
    func deliveries(_ items: [StoredDelivery], _ buttons: AdminButtons?) -> TablePart {
        let rows = items.map { delivery -> [Cell] in
            let fields = [("delivery", delivery.id), ("webhook", delivery.webhookID)]
            let about: Cell =
                delivery.subject.hasPrefix("bk_") ? .link("/admin/bookings/\(delivery.subject)", delivery.subject) : .text(delivery.subject)
            return [
                .time(delivery.createdAt), .text(delivery.type), about,
                .chip(delivery.state == .sent ? .good : delivery.state == .failed ? .bad : .idle, delivery.state.rawValue),
                .text("\(delivery.attempts)"), .text(delivery.problem ?? ""),
                .press(buttons.flatMap { $0("Send again", action: "/admin/replay", fields: fields, isPlain: true) }),
            ]
        }
        return TablePart(["Written", "Event", "About", "State", "Tries", "Problem", ""], rows, empty: "None.")
    }

    func audit(_ query: QueryFields) async throws -> Shown {
        var query = query
        let before = query.cursor().map { (at: $0.start, id: $0.id) } ?? (.never, "")
        let found = try await context.store.read { try $0.audit(before: before, limit: Self.shown + 1) }
        let entries = found.prefix(Self.shown)
        let rows = entries.map { entry -> [Cell] in
            [
                .time(entry.at), .text(entry.actor.name), .text(entry.action),
                entry.subject.hasPrefix("bk_") ? .link("/admin/bookings/\(entry.subject)", entry.subject) : .text(entry.subject),
                .text(entry.outcome + (entry.count > 1 ? ", \(entry.count) times" : "")), .text(entry.actor.address),
            ]
        }
        let next = found.count > entries.count ? entries.last.map { QueryFields.cursor($0.at, $0.id) } : nil
        return Shown(
            title: "Audit",
            sections: [
                SectionPart(
                    table: TablePart(["At", "Who", "Did", "To", "Outcome", "From"], rows, empty: "Nothing yet."),
                    ways: next.map { [WayPart(wayPath: "/admin/audit?cursor=\($0)", wayName: "Earlier ones")] } ?? [])
            ])
    }

    func catalogue() async throws -> Shown {
        let catalog = context.catalog.current
        let provisioner = ProviderResolver(context)
        let failing = try await context.health.all()
        let people = try await context.store.read { tx in
            try tx.owners(in: catalog).filter(\.isActive).prefix(Self.shown).map { ($0.owner, try context.accounts(of: $0.owner.id, tx)) }
        }
        let rows = people.flatMap { owner, accounts in
            catalog.meetingTypes.prefix(Self.shown).compactMap { type -> [Cell]? in
                guard let found = try? catalog.resolve(type, owner: owner, problem: { provisioner.readinessProblem($0, accounts) }) else {
                    return nil
                }
                return [
                    .text(owner.id), .text(type.id), .text(found.provider), .text(found.because.rawValue),
                    .text(found.problem.map { "\($0.message) \($0.remedy)" } ?? failing.words(of: found.provider)),
                ]
            }
        }
        let wrong = findings()
        return Shown(
            title: "Catalogue",
            sections: [
                SectionPart(
                    heading: "Findings", notice: wrong.isEmpty ? NoticePart(.good, "None: the file is as it should be.") : nil,
                    points: wrong.isEmpty
                        ? nil : .init(all: wrong.map { .init(pointText: $0.text, excerpt: $0.excerpt.isEmpty ? nil : $0.excerpt) })),
                SectionPart(
                    heading: "Who gets which provider, and why",
                    table: TablePart(["Owner", "Meeting type", "Provider", "Because", "Now"], rows, empty: "No owners yet.")),
            ])
    }
}
