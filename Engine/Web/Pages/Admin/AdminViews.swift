import Foundation
import UsherCore
import UsherMail
import UsherPipeline
import UsherStore

/// What the admin's page shows, a function for each part.
struct AdminViews: Sendable {
    let context: EngineContext
    let service: BookingService
    let hooks: WebhookService
    /// What is wrong with the catalogue's file as it stands now.
    let findings: @Sendable () -> [CatalogFinding]

    static let shown = 50
    static let most = 200
    static let shownStuck = 10

    struct Shown: Sendable {
        var title: String
        var sections: [SectionPart]
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
            footNote: "Times are those of \(AdminTime.zone).",
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
        let failing = try await context.health.all()
        let tiles = tiles(failing.count, trouble.count, try await openMatters(), stuck.reduce(0) { $0 + Int($1.0.count) })
        return Shown(
            title: "Overview",
            sections: [
                SectionPart(anchor: "tiles", refresh: "30", tiles: tiles),
                SectionPart(anchor: "charts", refresh: "30", charts: .init(all: try await charts(waiting).all)),
                SectionPart(anchor: "providers", refresh: "30", heading: "Providers", table: providers(failing)),
                SectionPart(anchor: "servers", refresh: "30", heading: "Servers", table: servers(processes, inForce)),
                SectionPart(
                    anchor: "problems", refresh: "30", heading: "Bookings with a problem", table: problems(trouble, buttons),
                    ways: buttons.allow("/admin/retry-all")
                        ? [WayPart(wayPath: "/admin/retry-all", wayName: "Retry all that is in trouble…")] : []),
                SectionPart(anchor: "work", refresh: "30", heading: "Work", table: work(waiting, working)),
                SectionPart(
                    heading: "Stuck", isPart: true, lines: stuck.isEmpty ? ["No job is stuck."] : [],
                    quiet: "Tried three times in vain, the nearest meetings first."),
            ]
                + stuck.map { kind, jobs in
                    var section = self.stuck(jobs, kind.kind, limit: Self.shownStuck, buttons)
                    (section.heading, section.isPart) = ("\(kind.kind): \(kind.count)", true)
                    return section
                })
    }

    private func charts(_ waiting: [(kind: String, count: Int64, oldest: Instant)]) async throws -> AdminCharts {
        let (now, zone) = (context.now, TimeZone(iana: AdminTime.zone) ?? .gmt)
        let today = CalendarDate(WallTime(now, in: zone))
        let (from, to) = ((today - AdminCharts.before).beginning(in: zone), (today + AdminCharts.after).beginning(in: zone))
        let catalog = context.catalog.current
        let spenders = try await context.budgets.spent().prefix(AdminCharts.mostSpenders).map { spent in
            let most = catalog.provider(spent.provider).flatMap { context.registry.descriptor($0.module)?.hostDailyCalls }
            return (provider: spent.provider, account: spent.account, calls: Int(spent.calls), most: most)
        }
        return try await context.store.read { tx in
            AdminCharts(
                tallies: try tx.tallies(from: from, to: to), waits: try tx.waits(from: now, limit: AdminCharts.mostWaits),
                waiting: waiting, today: today, now: now, catalog: catalog,
                connections: try tx.connectionTallies(), spenders: spenders)
        }
    }

    private func work(
        _ waiting: [(kind: String, count: Int64, oldest: Instant)], _ working: [(kind: String, count: Int64)]
    ) -> TablePart {
        let now = context.now
        return TablePart(
            ["Kind", "Due", "Oldest", "Being done"],
            Set(waiting.map(\.kind) + working.map(\.kind)).sorted().map { kind in
                let due = waiting.first { $0.kind == kind }
                return [
                    .text(kind), .text("\(due?.count ?? 0)"), .text(due.map { "\((now - $0.oldest).wholeSeconds) s" } ?? ""),
                    .text("\(working.first { $0.kind == kind }?.count ?? 0)"),
                ]
            }, empty: "Nothing is due.")
    }

    /// The stuck jobs of one kind, a page at a time.
    func stuck(_ kind: String, _ query: QueryFields, _ buttons: AdminButtons) async throws -> Shown {
        var query = query
        let after = query.cursor().map { (start: $0.start, key: $0.id.replacing("+", with: " ")) }
        let jobs = try await context.store.read { try $0.troubledJobs(kind, after: after, limit: Self.shown + 1) }
        return Shown(title: "Stuck: \(kind)", sections: [stuck(jobs, kind, limit: Self.shown, buttons)])
    }

    private func stuck(_ jobs: [TroubledJob], _ kind: String, limit: Int, _ buttons: AdminButtons) -> SectionPart {
        let shown = jobs.prefix(limit)
        let rows = shown.map { job -> [Cell] in
            let booking = job.id.key.split(separator: " ").first { $0.hasPrefix("bk_") }.map(String.init)
            return [
                booking.map { .link("/admin/bookings/\($0)", job.id.key) } ?? .text(job.id.key),
                job.start == .never ? .text("") : .time(job.start), .text("\(job.attempt)"), .time(job.due),
                .press(
                    buttons(
                        "Do it now", action: "/admin/do", fields: [("kind", job.id.kind), ("subject", job.id.key)],
                        isPlain: true)),
            ]
        }
        // A cursor's parts hold no blank.
        let next = jobs.count > limit ? shown.last.map { QueryFields.cursor($0.start, $0.id.key.replacing(" ", with: "+")) } : nil
        return SectionPart(
            table: TablePart(["About", "Meeting", "Tries", "Next", ""], rows, empty: "None."),
            ways: next.map { [WayPart(wayPath: "/admin/stuck/\(kind)?cursor=\($0)", wayName: "More")] } ?? [])
    }

    /// Each provider's one state, as doctor, API and metrics tell it.
    private func providers(_ failing: [FailingProvider]) -> TablePart {
        TablePart(
            ["Provider", "Can", "State", "Since", "Calls", "Why, and what to do"],
            context.catalog.current.providers.map { entry in
                let can = context.registry.descriptor(entry.module)?.capabilities.map(\.rawValue).sorted().joined(separator: ", ") ?? ""
                let named: [Cell] = [.text(entry.title == entry.name ? entry.name : "\(entry.title), \(entry.name)"), .text(can)]
                if let problem = ProviderResolver(context).readinessProblem(entry) {
                    return named + [.chip(.warn, "not set up"), .text(""), .text(""), .text("\(problem.message) \(problem.remedy)")]
                }
                guard let bad = failing.first(where: { $0.provider == entry.name }) else {
                    return named + [.chip(.good, "works"), .text(""), .text(""), .text("")]
                }
                return named + [
                    .chip(.bad, "failing"), .time(bad.since), .text("\(bad.failures)"),
                    .text("\(bad.problem.message) \(bad.problem.remedy)"),
                ]
            }, empty: "None.")
    }

    /// Who works on this database, with which Usher and which catalogue.
    private func servers(_ processes: [StoredProcess], _ inForce: String?) -> TablePart {
        TablePart(
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

    private func problems(_ bookings: [Booking], _ buttons: AdminButtons) -> TablePart {
        TablePart(
            ["Start", "Booking", "Provider", "Problem", ""],
            bookings.map { booking in
                [
                    .time(booking.start), .link("/admin/bookings/\(booking.id)", booking.title),
                    .text(booking.terms.title(of: booking.meeting.provider, in: context.catalog.current)),
                    .text("\(booking.meeting.problem?.message ?? "") \(booking.meeting.problem?.remedy ?? "")"),
                    .press(buttons("Retry", action: "/admin/retry", fields: [("booking", booking.id)], isPlain: true)),
                ]
            }, empty: "None.")
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
    private func tiles(
        _ failing: Int, _ trouble: Int, _ open: [(count: Int, name: String, path: String)], _ stuck: Int
    ) -> SectionPart.Tiles {
        let all =
            [
                (failing, "providers failing", "#providers"), (trouble, "bookings with a problem", "#problems"),
                (stuck, "jobs stuck", "#work"),
            ] + open
        return .init(
            all: all.map { count, name, path in
                let state = count == 0 ? ChipPart(.good, "fine") : ChipPart(.bad, "look")
                return .init(tilePath: path, tileCount: "\(count)", tileName: name, tone: state.tone, chipWord: state.chipWord)
            })
    }
}
