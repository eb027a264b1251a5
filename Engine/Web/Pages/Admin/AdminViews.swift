import UsherCore
import UsherMail
import UsherPipeline
import UsherStore

/// What the admin's page shows, a function for each part. Times are UTC.
struct AdminViews: Sendable {
    let context: EngineContext
    let service: BookingService
    let hooks: WebhookService
    /// What is wrong with the catalogue's file as it stands now, a line each.
    let findings: @Sendable () -> [String]

    private static let shown = 50
    private static let most = 200
    private static let shownStuck = 10

    struct Shown: Sendable {
        var title: String
        var html: String
    }

    static func menu(_ key: String) -> String {
        let places = [
            ("/admin", "Overview"), ("/admin/bookings", "Bookings"), ("/admin/connections", "Connections"), ("/admin/mail", "Mail"),
            ("/admin/webhooks", "Webhooks"), ("/admin/catalogue", "Catalogue"), ("/admin/audit", "Audit"),
            ("/docs", "API"),
        ]
        return "<nav>\(places.map { "<a href=\"\($0.0)\">\($0.1)</a>" }.joined(separator: " "))</nav><p class=quiet>Times are UTC.</p>"
            + Page.button("Sign out", action: "/admin/signout", key: key, isPlain: true)
            + Page.button("Sign out everywhere", action: "/admin/signout-everywhere", key: key, isPlain: true)
    }

    // MARK: Overview

    func overview(_ key: String) async throws -> Shown {
        let now = context.now
        let (trouble, waiting, working, stuck) = try await context.store.read { tx in
            (
                try tx.bookingsInTrouble(from: now, limit: Self.shown), try tx.waitingJobs(now: now), try tx.workingJobs(),
                try tx.troubledKinds().map { ($0, try tx.troubledJobs($0.kind, after: nil, limit: Self.shownStuck + 1)) }
            )
        }
        let open = try await openMatters()
        let failing = try await context.health.all()
        let html =
            "<section><h2>Providers</h2>\(providers(failing))</section>"
            + "<section><h2>Bookings with a problem</h2>\(problems(trouble, key))</section>"
            + "<section><h2>Needs somebody</h2>\(Page.list(open))\(open.isEmpty ? "<p class=good>Nothing.</p>" : "")</section>"
            + "<section><h2>Work</h2>"
            + table(
                ["Kind", "Due", "Oldest", "Being done"],
                Set(waiting.map(\.kind) + working.map(\.kind)).sorted().map { kind in
                    let due = waiting.first { $0.kind == kind }
                    return [
                        .text(kind), .text("\(due?.count ?? 0)"), .text(due.map { "\((now - $0.oldest).wholeSeconds) s" } ?? ""),
                        .text("\(working.first { $0.kind == kind }?.count ?? 0)"),
                    ]
                }, empty: "Nothing is due.")
            + "<h3>Stuck</h3><p class=quiet>Tried three times in vain, the nearest meetings first.</p>"
            + (stuck.isEmpty ? "<p>No step is stuck.</p>" : "")
            + stuck.map { kind, jobs in
                "<h4>\(escapedHTML(kind.kind)): \(kind.count)</h4>" + self.stuck(jobs, kind.kind, limit: Self.shownStuck, key)
            }.joined() + "</section>"
        return Shown(title: "Overview", html: html)
    }

    /// The stuck jobs of one kind, a page at a time.
    func stuck(_ kind: String, _ query: QueryFields, _ key: String) async throws -> Shown {
        var query = query
        let after = query.cursor().map { (start: $0.start, key: $0.id.replacing("+", with: " ")) }
        let jobs = try await context.store.read { try $0.troubledJobs(kind, after: after, limit: Self.shown + 1) }
        return Shown(title: "Stuck: \(kind)", html: stuck(jobs, kind, limit: Self.shown, key))
    }

    private func stuck(_ jobs: [TroubledJob], _ kind: String, limit: Int, _ key: String) -> String {
        let shown = jobs.prefix(limit)
        let rows = shown.map { job -> [Cell] in
            let booking = job.id.key.split(separator: " ").first { $0.hasPrefix("bk_") }.map(String.init)
            return [
                booking.map { .link("/admin/bookings/\($0)", job.id.key) } ?? .text(job.id.key),
                job.start == .never ? .text("") : .time(job.start), .text("\(job.attempt)"), .time(job.due),
                .html(
                    Page.button(
                        "Do it now", action: "/admin/do", key: key, fields: [("kind", job.id.kind), ("subject", job.id.key)],
                        isPlain: true)),
            ]
        }
        // A cursor's parts hold no blank.
        let next = jobs.count > limit ? shown.last.map { QueryFields.cursor($0.start, $0.id.key.replacing(" ", with: "+")) } : nil
        return table(["About", "Meeting", "Tries", "Next", ""], rows, empty: "None.")
            + (next.map { "<p><a href=\"/admin/stuck/\(escapedHTML(kind))?cursor=\(escapedHTML($0))\">More</a></p>" } ?? "")
    }

    /// Each provider's one state, as doctor, API and metrics tell it.
    private func providers(_ failing: [FailingProvider]) -> String {
        table(
            ["Provider", "State", "Since", "Calls", "Why, and what to do"],
            context.catalog.current.providers.map { entry in
                if let problem = ProviderResolver(context).readinessProblem(entry) {
                    return [.text(entry.name), .text("not set up"), .text(""), .text(""), .text("\(problem.message) \(problem.remedy)")]
                }
                guard let bad = failing.first(where: { $0.provider == entry.name }) else {
                    return [.text(entry.name), .text("works"), .text(""), .text(""), .text("")]
                }
                return [
                    .text(entry.name), .text("failing"), .time(bad.since), .text("\(bad.failures)"),
                    .text("\(bad.problem.message) \(bad.problem.remedy)"),
                ]
            }, empty: "None.")
    }

    private func problems(_ bookings: [Booking], _ key: String) -> String {
        table(
            ["Start", "Booking", "Provider", "Problem", ""],
            bookings.map { booking in
                [
                    .time(booking.start), .link("/admin/bookings/\(booking.id)", booking.title), .text(booking.meeting.provider),
                    .text("\(booking.meeting.problem?.message ?? "") \(booking.meeting.problem?.remedy ?? "")"),
                    .html(Page.button("Retry", action: "/admin/retry", key: key, fields: [("booking", booking.id)], isPlain: true)),
                ]
            }, empty: "None.")
            + Page.button("Retry all that is in trouble", action: "/admin/retry-all", key: key, isPlain: bookings.isEmpty)
    }

    /// What lies elsewhere and needs somebody.
    private func openMatters() async throws -> [String] {
        let (connections, mails, notices, hooks) = try await context.store.read { tx in
            (
                try tx.connections(limit: Self.most).count { $0.health != .ok }, try tx.refusedMails(limit: Self.most).count,
                try tx.unsentNotices(limit: Self.most).count { $0.state == .failed }, try tx.webhooks().count { $0.problem != nil }
            )
        }
        let matters = [
            (connections, "connections that do not work as they should"), (mails, "mails that were refused"),
            (notices, "letters to owners that were refused"), (hooks, "webhooks that do not take what they are sent"),
            (findings().count, "findings in the catalogue's file"),
        ]
        return matters.filter { $0.0 > 0 }.map { "\($0.1): \($0.0)" }
    }

    // MARK: Bookings

    func bookings(_ text: String, _ query: QueryFields, _ key: String) async throws -> Shown {
        var query = query
        var (found, next): ([Booking], String?) = ([], nil)
        if text.isEmpty {
            var filter = BookingService.Filter()
            (filter.from, filter.status) = (context.now - Tx.longestBooking, .confirmed)
            let page = try await service.page(filter, after: query.cursor(), limit: Self.shown)
            found = page.views.map(\.booking)
            next = page.next.map { QueryFields.cursor($0.start, $0.id) }
        } else {
            found = try await context.store.read { try $0.bookings(matching: text, limit: Self.shown) }
        }
        let rows = found.map { booking -> [Cell] in
            [
                .time(booking.start), .link("/admin/bookings/\(booking.id)", booking.title), .text(booking.terms.owner.name),
                .text(booking.attendees.map(\.email).joined(separator: ", ")), .text(booking.status.rawValue),
                .text("\(booking.meeting.provider): \(booking.meeting.status.rawValue)"),
            ]
        }
        let search =
            "<form method=get action=\"/admin/bookings\"><label for=q>A booking's or an owner's id, or an owner's or a guest's name or address</label><br><input id=q name=q value=\"\(escapedHTML(text))\"> <button class=\"button plain\">Search</button></form>"
        let more = next.map { "<p><a href=\"/admin/bookings?cursor=\(escapedHTML($0))\">Later ones</a></p>" } ?? ""
        return Shown(
            title: text.isEmpty ? "Bookings to come" : "Bookings found",
            html: search + table(["Start", "Booking", "Owner", "Guests", "Status", "Room"], rows, empty: "None.") + more)
    }

    func booking(_ id: String, _ key: String) async throws -> Shown {
        let view = try await service.view(id)
        let booking = view.booking
        let (rooms, timeline, told) = try await context.store.read { tx in
            (try tx.rooms(of: id), try tx.timeline(of: id), try tx.webhooks().flatMap { try tx.deliveries(of: $0.id, about: id) })
        }
        var html =
            "<p><code>\(escapedHTML(id))</code>, revision \(booking.revision), \(booking.status.rawValue)</p><p>\(escapedHTML(booking.start.rfc3339)) to \(escapedHTML(booking.end.rfc3339)), \(escapedHTML(booking.terms.owner.name)) with \(escapedHTML(booking.attendees.map { "\($0.name) <\($0.email)>" }.joined(separator: ", ")))</p>"
            + "<p>\(escapedHTML(booking.meeting.provider)), because \(booking.meeting.because.rawValue): \(booking.meeting.status.rawValue)</p>"
        if let problem = booking.meeting.problem {
            html += "<p class=bad>\(escapedHTML(problem.message)) [\(problem.code.rawValue)]</p><p>\(escapedHTML(problem.remedy))</p>"
        }
        if booking.status == .confirmed {
            html +=
                Page.button("Retry", action: "/admin/retry", key: key, fields: [("booking", id)])
                + "<p><a href=\"/admin/bookings/\(escapedHTML(id))/cancel\">Cancel the booking</a></p>"
        }
        html +=
            "<section><h2>Rooms</h2>"
            + table(
                ["Provider", "State", "Room", "Host"],
                rooms.map { [.text($0.provider), .text($0.state.rawValue), .text($0.roomID), .text($0.host)] }, empty: "None yet.")
            + "</section><section><h2>Mail</h2>"
            + table(
                ["To", "Kind", "State", "Problem"],
                view.mails.map {
                    [.text(view.address(of: $0.reader)), .text($0.kind.rawValue), .text($0.state.rawValue), .text($0.problem ?? "")]
                }, empty: "None yet.")
            + "</section><section><h2>Webhooks</h2>" + deliveries(told, nil)
            + "</section><section><h2>Timeline</h2>"
            + table(
                ["At", "Event", "By", ""], timeline.map { [.time($0.at), .text($0.event), .text($0.actor), .text($0.detail)] }, empty: "")
            + "</section>"
        return Shown(title: booking.title, html: html)
    }

    func askToCancel(_ id: String, _ key: String) async throws -> Shown {
        let booking = try await service.view(id).booking
        return Shown(
            title: "Cancel \(booking.title)?",
            html:
                "<p>\(escapedHTML(booking.start.rfc3339)), \(escapedHTML(booking.attendees.map(\.email).joined(separator: ", ")))</p><p>Everyone who was invited is told.</p>"
                + Page.button("Yes, cancel it", action: "/admin/cancel", key: key, fields: [("booking", id)])
                + Page.back(to: "/admin/bookings/\(id)", "No, leave it"))
    }

    // MARK: Connections, mail, webhooks

    func connections() async throws -> Shown {
        let all = try await context.store.read { try $0.connections(limit: Self.most) }
        let rows = all.map { connection -> [Cell] in
            [
                .text(connection.ownerID), .text(connection.provider), .text(connection.account.email), .text(connection.health.rawValue),
                .text("\(connection.problem?.message ?? "") \(connection.problem?.remedy ?? "")"), .time(connection.connectedAt),
            ]
        }
        return Shown(
            title: "Connections",
            html: table(
                ["Owner", "Provider", "Account", "Health", "Problem", "Since"], rows, empty: "Nobody has connected an account yet."))
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
            html: "<section><h2>Waiting to leave</h2>\(mails(waiting))</section><section><h2>Refused</h2>\(mails(refused))</section>"
                + "<section><h2>Letters to owners that have not left</h2>\(table(["Written", "About", "State", "Why"], letters, empty: "None."))</section>"
        )
    }

    private func mails(_ mails: [OutboxMail]) -> String {
        let rows = mails.map { mail -> [Cell] in
            [
                .time(mail.writtenAt), .link("/admin/bookings/\(mail.bookingID)", mail.bookingID),
                .text("\(mail.kind.rawValue) to \(mail.reader.role)"), .text(mail.problem ?? ""),
            ]
        }
        return table(["Written", "Booking", "Mail", "Why"], rows, empty: "None.")
    }

    func webhooks(_ key: String) async throws -> Shown {
        let all = try await hooks.list()
        let rows = all.map { hook -> [Cell] in
            [
                .link("/admin/webhooks/\(hook.id)", hook.url), .text(hook.state.rawValue), .text(hook.problem ?? ""),
                .text(hook.events.joined(separator: ", ")),
            ]
        }
        return Shown(
            title: "Webhooks", html: table(["Address", "State", "Problem", "Events"], rows, empty: "None. POST /v1/webhooks makes one."))
    }

    func webhook(_ id: String, _ query: QueryFields, _ key: String) async throws -> Shown {
        var query = query
        let hook = try await hooks.webhook(id)
        let page = try await hooks.deliveries(of: id, before: query.cursor(), limit: Self.shown)
        let next = page.next.map {
            "<p><a href=\"/admin/webhooks/\(escapedHTML(id))?cursor=\(escapedHTML(QueryFields.cursor($0.start, $0.id)))\">Earlier ones</a></p>"
        }
        let enable =
            hook.state == .disabled ? Page.button("Turn it on again", action: "/admin/enable", key: key, fields: [("webhook", id)]) : ""
        return Shown(
            title: "Webhook",
            html: "<p><code>\(escapedHTML(hook.url))</code>: \(hook.state.rawValue)</p>"
                + (hook.problem.map { "<p class=bad>\(escapedHTML($0))</p>" } ?? "") + enable + deliveries(page.items, key) + (next ?? ""))
    }

    /// - Parameter key: of the session's forms; `nil` shows no buttons.
    private func deliveries(_ items: [StoredDelivery], _ key: String?) -> String {
        let rows = items.map { delivery -> [Cell] in
            let fields = [("delivery", delivery.id), ("webhook", delivery.webhookID)]
            let about: Cell =
                delivery.subject.hasPrefix("bk_") ? .link("/admin/bookings/\(delivery.subject)", delivery.subject) : .text(delivery.subject)
            return [
                .time(delivery.createdAt), .text(delivery.type), about, .text(delivery.state.rawValue),
                .text("\(delivery.attempts)"), .text(delivery.problem ?? ""),
                .html(key.map { Page.button("Send again", action: "/admin/replay", key: $0, fields: fields, isPlain: true) } ?? ""),
            ]
        }
        return table(["Written", "Event", "About", "State", "Tries", "Problem", ""], rows, empty: "None.")
    }

    // MARK: The audit

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
        let more = next.map { "<p><a href=\"/admin/audit?cursor=\(escapedHTML($0))\">Earlier ones</a></p>" } ?? ""
        return Shown(title: "Audit", html: table(["At", "Who", "Did", "To", "Outcome", "From"], rows, empty: "Nothing yet.") + more)
    }

    // MARK: The catalogue

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
            html: "<section><h2>Findings</h2>\(wrong.isEmpty ? "<p class=good>None.</p>" : Page.list(wrong))</section>"
                + "<section><h2>Who gets which provider, and why</h2>\(table(["Owner", "Meeting type", "Provider", "Because", "Now"], rows, empty: "No owners yet."))</section>"
        )
    }

    // MARK: Tables

    private enum Cell {
        case text(String)
        case link(String, String)
        case time(Instant)
        /// Escaped already.
        case html(String)

        var html: String {
            switch self {
            case .text(let text): escapedHTML(text)
            case .link(let path, let text): "<a href=\"\(escapedHTML(path))\">\(escapedHTML(text))</a>"
            case .time(let instant): "<time datetime=\"\(instant.rfc3339)\">\(instant.rfc3339.prefix(16).replacing("T", with: " "))</time>"
            case .html(let html): html
            }
        }
    }

    private func table(_ heads: [String], _ rows: [[Cell]], empty: String) -> String {
        guard !rows.isEmpty else { return "<p>\(escapedHTML(empty))</p>" }
        let head = heads.map { "<th scope=col>\(escapedHTML($0))</th>" }.joined()
        let body = rows.map { row in
            "<tr>\(zip(heads, row).map { "<td data-label=\"\(escapedHTML($0))\">\($1.html)</td>" }.joined())</tr>"
        }.joined()
        return "<div class=wide tabindex=0><table><thead><tr>\(head)</tr></thead><tbody>\(body)</tbody></table></div>"
    }
}
