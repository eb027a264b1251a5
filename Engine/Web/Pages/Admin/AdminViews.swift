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

    static let shown = 50
    static let most = 200
    static let shownStuck = 10

    struct Shown: Sendable {
        var title: String
        var html: HTML
    }

    private static let places = [
        ("/admin", "Overview"), ("/admin/bookings", "Bookings"), ("/admin/connections", "Connections"), ("/admin/mail", "Mail"),
        ("/admin/webhooks", "Webhooks"), ("/admin/catalogue", "Catalogue"), ("/admin/audit", "Audit"), ("/docs", "API"),
    ]

    /// What stands around each of the admin's pages.
    static func around(_ buttons: AdminButtons, _ name: String, at path: String) -> Page.Around {
        let tabs = places.map { place, label in
            Page.Tab(tabPath: place, tabName: label, isCurrent: path == place || (place != "/admin" && path.hasPrefix(place + "/")))
        }
        func quiet(_ label: String, _ action: String) -> FormButton {
            FormButton(label, action: action, key: buttons.formKey, isQuiet: true)
        }
        return Page.Around(
            width: .broad, who: name == buttons.role.rawValue ? name : "\(name), \(buttons.role.rawValue)", tabs: tabs,
            footNote: "Times are UTC.",
            footButtons: [quiet("Sign out", "/admin/signout"), quiet("Sign out everywhere", "/admin/signout-everywhere")])
    }

    // MARK: Overview

    func overview(_ buttons: AdminButtons) async throws -> Shown {
        let now = context.now
        let (trouble, waiting, working, stuck) = try await context.store.read { tx in
            (
                try tx.bookingsInTrouble(from: now, limit: Self.shown), try tx.waitingJobs(now: now), try tx.workingJobs(),
                try tx.troubledKinds().map { ($0, try tx.troubledJobs($0.kind, after: nil, limit: Self.shownStuck + 1)) }
            )
        }
        let (processes, inForce) = try await context.store.read { (try $0.processes(), try $0.catalogueDigest()) }
        let open = try await openMatters()
        let failing = try await context.health.all()
        let html: HTML =
            tiles(failing.count, trouble.count, open, stuck.reduce(0) { $0 + Int($1.0.count) })
            + "<section id=providers><h2>Providers</h2>\(providers(failing))</section>"
            + "<section><h2>Servers</h2>\(servers(processes, inForce))</section>"
            + "<section id=problems><h2>Bookings with a problem</h2>\(problems(trouble, buttons))</section>"
            + "<section id=work><h2>Work</h2>"
            + Page.table(
                ["Kind", "Due", "Oldest", "Being done"],
                Set(waiting.map(\.kind) + working.map(\.kind)).sorted().map { kind in
                    let due = waiting.first { $0.kind == kind }
                    return [
                        .text(kind), .text("\(due?.count ?? 0)"), .text(due.map { "\((now - $0.oldest).wholeSeconds) s" } ?? ""),
                        .text("\(working.first { $0.kind == kind }?.count ?? 0)"),
                    ]
                }, empty: "Nothing is due.")
            + "<h3>Stuck</h3><p class=quiet>Tried three times in vain, the nearest meetings first.</p>"
            + (stuck.isEmpty ? "<p>No job is stuck.</p>" : "")
            + stuck.map { kind, jobs -> HTML in
                "<h4>\(kind.kind): \(kind.count)</h4>" + self.stuck(jobs, kind.kind, limit: Self.shownStuck, buttons)
            }.joined() + "</section>"
        return Shown(title: "Overview", html: html)
    }

    /// The stuck jobs of one kind, a page at a time.
    func stuck(_ kind: String, _ query: QueryFields, _ buttons: AdminButtons) async throws -> Shown {
        var query = query
        let after = query.cursor().map { (start: $0.start, key: $0.id.replacing("+", with: " ")) }
        let jobs = try await context.store.read { try $0.troubledJobs(kind, after: after, limit: Self.shown + 1) }
        return Shown(title: "Stuck: \(kind)", html: stuck(jobs, kind, limit: Self.shown, buttons))
    }

    private func stuck(_ jobs: [TroubledJob], _ kind: String, limit: Int, _ buttons: AdminButtons) -> HTML {
        let shown = jobs.prefix(limit)
        let rows = shown.map { job -> [Cell] in
            let booking = job.id.key.split(separator: " ").first { $0.hasPrefix("bk_") }.map(String.init)
            return [
                booking.map { .link("/admin/bookings/\($0)", job.id.key) } ?? .text(job.id.key),
                job.start == .never ? .text("") : .time(job.start), .text("\(job.attempt)"), .time(job.due),
                .html(
                    buttons(
                        "Do it now", action: "/admin/do", fields: [("kind", job.id.kind), ("subject", job.id.key)],
                        isPlain: true)),
            ]
        }
        // A cursor's parts hold no blank.
        let next = jobs.count > limit ? shown.last.map { QueryFields.cursor($0.start, $0.id.key.replacing(" ", with: "+")) } : nil
        return Page.table(["About", "Meeting", "Tries", "Next", ""], rows, empty: "None.")
            + (next.map { cursor -> HTML in "<p><a href=\"/admin/stuck/\(kind)?cursor=\(cursor)\">More</a></p>" } ?? "")
    }

    /// Each provider's one state, as doctor, API and metrics tell it.
    private func providers(_ failing: [FailingProvider]) -> HTML {
        Page.table(
            ["Provider", "State", "Since", "Calls", "Why, and what to do"],
            context.catalog.current.providers.map { entry in
                if let problem = ProviderResolver(context).readinessProblem(entry) {
                    return [
                        .text(entry.name), .chip(.warn, "not set up"), .text(""), .text(""), .text("\(problem.message) \(problem.remedy)"),
                    ]
                }
                guard let bad = failing.first(where: { $0.provider == entry.name }) else {
                    return [.text(entry.name), .chip(.good, "works"), .text(""), .text(""), .text("")]
                }
                return [
                    .text(entry.name), .chip(.bad, "failing"), .time(bad.since), .text("\(bad.failures)"),
                    .text("\(bad.problem.message) \(bad.problem.remedy)"),
                ]
            }, empty: "None.")
    }

    /// Who works on this database, with which Usher and which catalogue.
    private func servers(_ processes: [StoredProcess], _ inForce: String?) -> HTML {
        Page.table(
            ["Machine", "Usher", "Since", "Last heartbeat", "Catalogue"],
            processes.map { process in
                let catalogue =
                    process.catalogue == inForce ? "the one in force" : process.catalogue.isEmpty ? "its own" : "another: it follows soon"
                return [
                    .text(process.serves ? process.host : "\(process.host), a command"), .text(process.version), .time(process.startedAt),
                    .time(process.heartbeat), .text(catalogue),
                ]
            }, empty: "None.")
    }

    private func problems(_ bookings: [Booking], _ buttons: AdminButtons) -> HTML {
        Page.table(
            ["Start", "Booking", "Provider", "Problem", ""],
            bookings.map { booking in
                [
                    .time(booking.start), .link("/admin/bookings/\(booking.id)", booking.title), .text(booking.meeting.provider),
                    .text("\(booking.meeting.problem?.message ?? "") \(booking.meeting.problem?.remedy ?? "")"),
                    .html(buttons("Retry", action: "/admin/retry", fields: [("booking", booking.id)], isPlain: true)),
                ]
            }, empty: "None.")
            + buttons("Retry all that is in trouble", action: "/admin/retry-all", isPlain: bookings.isEmpty)
    }

    /// What lies elsewhere and needs somebody.
    private func openMatters() async throws -> [(count: Int, name: String, path: String)] {
        let (connections, mails, notices, hooks) = try await context.store.read { tx in
            (
                try tx.connections(limit: Self.most).count { $0.health != .ok }, try tx.refusedMails(limit: Self.most).count,
                try tx.unsentNotices(limit: Self.most).count { $0.state == .failed }, try tx.webhooks().count { $0.problem != nil }
            )
        }
        return [
            (connections, "connections to mend", "/admin/connections"), (mails + notices, "mails refused", "/admin/mail"),
            (hooks, "webhooks refusing", "/admin/webhooks"), (findings().count, "findings in the catalogue", "/admin/catalogue"),
        ]
    }

    /// How everything does, at a glance; each leads to its list.
    private func tiles(_ failing: Int, _ trouble: Int, _ open: [(count: Int, name: String, path: String)], _ stuck: Int) -> HTML {
        let all =
            [
                (failing, "providers failing", "#providers"), (trouble, "bookings with a problem", "#problems"),
                (stuck, "jobs stuck", "#work"),
            ] + open
        let items = all.map { count, name, path -> HTML in
            let state = count == 0 ? Page.chip(.good, "fine") : Page.chip(.bad, "look")
            return "<li><a class=tile href=\"\(path)\"><b>\(count)</b><span>\(name)</span>\(state)</a></li>"
        }
        return "<ul class=tiles>\(items.joined())</ul>"
    }
}
