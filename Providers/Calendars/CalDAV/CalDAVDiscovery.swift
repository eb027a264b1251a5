import UsherCore

/// Finds a person's calendars on a server (RFC 6764 §6, RFC 4791 §6.2): from the address that was given, else from the host's well-known
/// one.
struct CalDAVDiscovery {
    private let client: CalDAVClient

    init(_ client: CalDAVClient) { self.client = client }

    private static let who = """
        <d:propfind xmlns:d="DAV:" xmlns:c="urn:ietf:params:xml:ns:caldav"><d:prop><d:resourcetype/><d:displayname/>\
        <d:current-user-principal/><c:calendar-home-set/><c:supported-calendar-component-set/></d:prop></d:propfind>
        """

    /// The calendars that hold events. An address that is a calendar's own leads to that one alone.
    func calendars() async throws(ProviderError) -> [FoundCalendar] {
        let (here, from) = try await start()
        if let own = here.responses.first, Self.isCalendar(own) { return [Self.found(own, from)] }
        guard let homes = try await homes(here, from) else {
            throw CalendarErrors.rejected(
                "No calendars were found at this address.", remedy: "Give the address that your calendar's help names for CalDAV.")
        }
        let (list, at) = try await client.multiStatus("PROPFIND", homes, depth: 1, body: Self.who)
        let calendars = list.responses.filter(Self.isCalendar).map { Self.found($0, at) }
        guard !calendars.isEmpty else {
            throw CalendarErrors.rejected("This account has no calendar.", remedy: "Make one there, and connect it again.")
        }
        return calendars
    }

    private func start() async throws(ProviderError) -> (MultiStatus, CalendarAddress) {
        let first = try await client.send("PROPFIND", client.home, depth: 0, body: Self.who)
        if first.response.status == 207, let parsed = MultiStatus(first.response.body), Self.isOfUse(parsed) { return (parsed, first.from) }
        if [401, 403].contains(first.response.status),
            let error = CalendarErrors.meaning(first.response, "The CalDAV server", "PROPFIND", now: client.context.call.environment.now())
        {
            throw error
        }
        guard let wellKnown = client.home.resolving("/.well-known/caldav") else {
            throw CalendarErrors.rejected("The address cannot be followed.", remedy: "Check it.")
        }
        return try await client.multiStatus("PROPFIND", wellKnown, depth: 0, body: Self.who)
    }

    private static func isOfUse(_ answer: MultiStatus) -> Bool {
        answer.responses.contains { $0.property(.dav("current-user-principal")) != nil || isCalendar($0) }
    }

    /// Where the person's calendars lie.
    private func homes(_ here: MultiStatus, _ from: CalendarAddress) async throws(ProviderError) -> CalendarAddress? {
        if let home = Self.home(here) { return from.resolving(home) }
        let principal = here.responses.lazy.compactMap { $0.property(.dav("current-user-principal"))?[.dav("href")]?.text.trimmingBlanks }
            .first
        guard let principal = principal.flatMap(from.resolving) else { return nil }
        let (person, at) = try await client.multiStatus("PROPFIND", principal, depth: 0, body: Self.who)
        return Self.home(person).flatMap(at.resolving)
    }

    private static func home(_ answer: MultiStatus) -> String? {
        answer.responses.lazy.compactMap { $0.property(.caldav("calendar-home-set"))?[.dav("href")]?.text.trimmingBlanks }.first
    }

    /// A collection of events; one that does not say what it holds may hold them.
    private static func isCalendar(_ response: MultiStatus.Response) -> Bool {
        guard response.property(.dav("resourcetype"))?[.caldav("calendar")] != nil else { return false }
        let kinds = response.property(.caldav("supported-calendar-component-set"))?.all(.caldav("comp")) ?? []
        return kinds.isEmpty || kinds.contains { $0.attributes["name"] == "VEVENT" }
    }

    private static func found(_ response: MultiStatus.Response, _ from: CalendarAddress) -> FoundCalendar {
        FoundCalendar(
            id: from.resolving(response.href)?.text ?? from.text, name: response.property(.dav("displayname"))?.text.trimmingBlanks ?? "",
            counts: true
        )
    }
}
