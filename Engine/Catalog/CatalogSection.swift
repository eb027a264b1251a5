import Foundation
import UsherCore
import Yams

/// The file as a whole: its four parts, and what must fit between them.
struct CatalogSection {
    private let report: Reporter
    private let registry: ProviderRegistry

    private let siteFiles: (String?, String?) -> [(key: String, message: String)]
    private let closures: (String) -> String?

    init(
        _ report: Reporter, _ registry: ProviderRegistry, _ siteFiles: @escaping (String?, String?) -> [(key: String, message: String)],
        closures: @escaping (String) -> String?
    ) {
        self.closures = closures
        self.siteFiles = siteFiles
        self.report = report
        self.registry = registry
    }

    func read(_ root: Node) -> Catalog? {
        guard let fields = Fields(root, "", report) else { return nil }
        fields.refuseUnknown(["version", "site", "providers", "schedules", "owners", "meeting-types"])
        fields.require(["version", "site", "providers", "meeting-types"])
        if let version = fields["version"], version.scalar.map({ $0.string == "1" && $0.isPlain }) != true {
            report.error(.value, version.place, "'version' must be 1, the only version there is")
        }
        let providers = fields["providers"].map { ProviderSection(report, registry).read($0) } ?? []
        let names = Names(providers.map(\.name), report)
        let section = fields["site"].flatMap { SiteSection(report, siteFiles).read($0, names) }
        let site = section?.site
        let language = site?.language ?? "en"
        let zone = site?.timeZone ?? "UTC"
        let schedules = fields["schedules"].map { ScheduleSection(report, closures).read($0) } ?? []
        let scheduleNames = ScheduleNames(schedules.map(\.name), report)
        let owners =
            fields["owners"].map { OwnerSection(report, scheduleNames).read($0, names, zone: zone, language: language) } ?? []
        let defaults = ([site?.defaultProvider] + owners.map(\.defaultProvider)).compactMap(\.self)
        let abilities = Abilities(providers, defaults: Set(defaults), registry, report)
        let types =
            fields["meeting-types"].map {
                MeetingTypeSection(report, names, abilities, SlotSection(report, scheduleNames, owners), language: language).readAll($0)
            } ?? []
        guard let site else { return nil }
        var catalog = Catalog(
            site: site, providers: providers, owners: owners, meetingTypes: types, schedules: schedules, busy: section?.busy ?? .usual,
            embedOrigins: section?.embedOrigins ?? [], retention: section?.retention ?? Retention())
        catalog.security = section?.security
        return catalog
    }
}

/// The names of the providers, and whether a reference to one holds.
struct Names {
    private let known: Set<String>
    private let list: [String]
    private let report: Reporter

    init(_ names: [String], _ report: Reporter) {
        known = Set(names)
        list = names
        self.report = report
    }

    func check(_ name: String, _ mark: Place?, _ path: String, also: [String] = []) {
        guard !known.contains(name), !also.contains(name) else { return }
        let near = hint(name, list + also, otherwise: "; there are: \((also + list).joined(separator: ", "))")
        report.error(.reference, mark, "'\(path)' names the provider '\(name)', which does not stand under providers\(near)")
    }
}

/// `[a-z0-9][a-z0-9-]*`, at most 64 characters.
func checkID(_ id: String, _ mark: Place?, _ what: String, _ report: Reporter) {
    let isFine = { (byte: UInt8) in (97...122).contains(byte) || (48...57).contains(byte) }
    guard let first = id.utf8.first, isFine(first), id.utf8.count <= 64, id.utf8.allSatisfy({ isFine($0) || $0 == UInt8(ascii: "-") })
    else {
        report.error(
            .value, mark, "'\(id)' cannot be \(what): small letters, digits and hyphens, at most 64, beginning with a letter or digit")
        return
    }
}

func checkZone(_ zone: (value: String, mark: Place?)?, _ path: String, _ report: Reporter) {
    guard let zone, TimeZone(iana: zone.value) == nil else { return }
    let near = hint(zone.value, TimeZone.knownTimeZoneIdentifiers, otherwise: ", such as Europe/Berlin")
    report.error(.value, zone.mark, "'\(path)' must be a time zone's IANA name\(near)")
}

/// - Returns: the tag as it is kept; `nil` where there is none, or, found, none that is spoken here.
func checkLanguage(_ language: (value: String, mark: Place?)?, _ path: String, _ report: Reporter) -> String? {
    guard let language else { return nil }
    let tag = Language.normalized(language.value)
    if tag == nil { report.error(.value, language.mark, "'\(path)' \(Language.choices)") }
    return tag
}

/// `site:`
struct SiteSection {
    private let report: Reporter
    private let siteFiles: (String?, String?) -> [(key: String, message: String)]

    init(_ report: Reporter, _ siteFiles: @escaping (String?, String?) -> [(key: String, message: String)]) {
        self.report = report
        self.siteFiles = siteFiles
    }

    /// What the part says: of the site, and for the whole file.
    struct Result {
        var site: Site
        var busy: BusyRules
        var embedOrigins: [String]
        var retention: Retention
        var security: String?
    }

    func read(_ node: Node, _ names: Names) -> Result? {
        guard let fields = Fields(node, "site", report) else { return nil }
        fields.refuseUnknown([
            "name", "from", "time-zone", "language", "default-provider", "color", "logo", "templates", "busy", "embed-origins",
            "retention", "privacy", "terms", "security",
        ])
        fields.require(["name", "from", "time-zone", "default-provider"])
        let from = fields.text("from")
        let mailbox = from.flatMap { Mailbox($0.value) }
        if let from, mailbox == nil {
            report.error(.value, from.mark, "'site.from' must be a mail address: \"Northwind Clinic <bookings@northwind.example>\"")
        }
        let zone = fields.text("time-zone")
        checkZone(zone, "site.time-zone", report)
        let language = checkLanguage(fields.text("language"), "site.language", report)
        let provider = fields.text("default-provider")
        if let provider { names.check(provider.value, provider.mark, "site.default-provider") }
        let color = fields.text("color")
        if let color, color.value.wholeMatch(of: /#[0-9a-fA-F]{6}/) == nil {
            report.error(.value, color.mark, "'site.color' must be written like \"#0b6e4f\"")
        }
        let (logo, templates) = (fields.text("logo"), fields.text("templates"))
        for finding in siteFiles(logo?.value, templates?.value) {
            report.error(.value, finding.key == "logo" ? logo?.mark : templates?.mark, "'site.\(finding.key)': \(finding.message)")
        }
        let busy = fields["busy"].flatMap { BusySection(report).read($0) } ?? .usual
        let embedOrigins = fields.list("embed-origins").map { item in
            if item.value.wholeMatch(of: /https:\/\/[a-zA-Z0-9.-]+(:[0-9]{1,5})?|http:\/\/(localhost|127\.0\.0\.1)(:[0-9]{1,5})?/) == nil {
                report.error(.value, item.mark, "'\(item.value)' is no origin; write \"https://northwind.example\", without a path")
            }
            return item.value
        }
        let retention = fields["retention"].flatMap { RetentionSection(report).read($0) } ?? Retention()
        let links = SiteLinksSection(report)
        guard let name = fields.text("name", prose: true), let mailbox, let zone, let provider else { return nil }
        let site = Site(
            name: name.value, from: mailbox, timeZone: zone.value, language: language ?? "en", defaultProvider: provider.value,
            color: color?.value ?? "#0b6e4f", logo: logo?.value, templates: templates?.value,
            privacy: links.page("privacy", fields), terms: links.page("terms", fields))
        return Result(site: site, busy: busy, embedOrigins: embedOrigins, retention: retention, security: links.contact("security", fields))
    }
}

/// `owners:`
struct OwnerSection {
    private let report: Reporter
    private let schedules: ScheduleNames

    init(_ report: Reporter, _ schedules: ScheduleNames) {
        self.report = report
        self.schedules = schedules
    }

    func read(_ node: Node, _ names: Names, zone siteZone: String, language siteLanguage: String) -> [Owner] {
        guard let owners = Fields(node, "owners", report) else { return [] }
        return owners.entries.compactMap { field in
            checkID(field.key, field.mark, "an owner's id", report)
            guard let fields = Fields(field.value, "owners.\(field.key)", report) else { return nil }
            fields.refuseUnknown(["name", "email", "time-zone", "language", "default-provider", "hosts", "schedule", "limits"])
            fields.require(["name", "email"])
            let email = fields.text("email")
            let address = email.flatMap { asciiMailAddress($0.value) }
            if let email, address == nil {
                report.error(.value, email.mark, "'\(fields.path("email"))' is not a mail address")
            }
            let zone = fields.text("time-zone")
            checkZone(zone, fields.path("time-zone"), report)
            let language = checkLanguage(fields.text("language"), fields.path("language"), report)
            let provider = fields.text("default-provider")
            if let provider { names.check(provider.value, provider.mark, fields.path("default-provider")) }
            let hosts = fields["hosts"].flatMap { Fields($0, fields.path("hosts"), report) }
            for host in hosts?.all ?? [] { names.check(host.key, host.mark, fields.path("hosts")) }
            for host in hosts?.all ?? [] {
                if let address = hosts?.text(host.key), !isMailAddress(address.value) {
                    report.error(.value, address.mark, "'\(address.value)' is not a mail address")
                }
            }
            let addresses = hosts.map { hosts in hosts.all.compactMap { host in hosts.text(host.key).map { (host.key, $0.value) } } } ?? []
            let schedule = schedules.name(fields, "schedule")
            let limits = fields["limits"].flatMap { SlotLimits($0, fields.path("limits"), report) }
            guard let name = fields.text("name", prose: true), let address else { return nil }
            return Owner(
                id: field.key, name: name.value, email: address, timeZone: zone?.value ?? siteZone,
                language: language ?? siteLanguage, defaultProvider: provider?.value,
                hosts: Dictionary(addresses, uniquingKeysWith: { first, _ in first }), schedule: schedule, limits: limits)
        }
    }
}
