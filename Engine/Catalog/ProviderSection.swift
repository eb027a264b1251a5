import UsherCore
import Yams

/// `providers:` each with the settings that its module declares.
struct ProviderSection {
    let report: Reporter
    let registry: ProviderRegistry

    init(_ report: Reporter, _ registry: ProviderRegistry) {
        self.report = report
        self.registry = registry
    }

    func read(_ node: Node) -> [ProviderEntry] {
        guard let providers = Fields(node, "providers", report) else { return [] }
        if providers.all.isEmpty {
            report.error(.missingKey, providers.mark, "'providers' needs one provider at least: `room: { module: link, url: … }`")
        }
        return distinct(providers.entries.compactMap { entry($0.key, $0.mark, $0.value) })
    }

    /// Two that people could not tell apart bear their names, too: `Zoom`, and `Zoom (campus)`.
    private func distinct(_ entries: [ProviderEntry]) -> [ProviderEntry] {
        var taken: Set<String> = []
        let count = Dictionary(grouping: entries, by: \.title).mapValues(\.count)
        // The bare title is the first's that is called as its module is.
        let bare = Set(entries.filter { $0.name == $0.module && taken.insert($0.title).inserted }.map(\.name))
        return entries.map { entry in
            var entry = entry
            if count[entry.title, default: 0] > 1, !bare.contains(entry.name) { entry.title += " (\(entry.name))" }
            return entry
        }
    }

    private func entry(_ name: String, _ mark: Place?, _ node: Node) -> ProviderEntry? {
        checkID(name, mark, "a provider's name", report)
        if name == MeetingType.ownerDefault {
            report.error(.value, mark, "'\(name)' has a meaning of its own; call the provider something else")
        }
        // `zoom:` with nothing behind it means the same as `zoom: {}`.
        let isEmpty = node.scalar.map(\.isNull) ?? false
        guard let fields = Fields(isEmpty ? Node([(Node, Node)]()) : node, "providers.\(name)", report) else { return nil }
        let written = fields.text("module")
        let id = written?.value ?? name
        guard let descriptor = registry.descriptor(id) else {
            let known = registry.modules.map { $0.descriptor.id }
            let near = hint(id, known, otherwise: "; there are: \(known.joined(separator: ", "))")
            let how = written == nil ? " (the key names the module unless `module:` does)" : ""
            report.error(.reference, written?.mark ?? mark, "there is no provider module '\(id)'\(how)\(near)")
            // Still a name that others may refer to.
            return ProviderEntry(name: name, module: id)
        }
        let credentialKeys = (descriptor.credentials + descriptor.optionalCredentials).isEmpty ? [] : ["credentials"]
        fields.refuseUnknown(["module", "title", "capacity"] + credentialKeys + descriptor.settings.map { $0.key })
        fields.require(descriptor.settings.filter { $0.isRequired }.map { $0.key })
        let credentials = fields.text("credentials")
        if let credentials, credentials.value.wholeMatch(of: /[A-Z][A-Z0-9_]{0,63}/) == nil {
            report.error(
                .value, credentials.mark,
                "'\(fields.path("credentials"))' is the beginning of environment variables' names, such as CAMPUS for CAMPUS_CLIENT_ID: capital letters, digits and _"
            )
        }
        var settings: [JSON.Member] = []
        for setting in descriptor.settings {
            if let value = value(setting, fields, mark) { settings.append(JSON.Member(setting.key, value)) }
        }
        return ProviderEntry(
            name: name, module: id, title: fields.text("title")?.value ?? descriptor.name, credentials: credentials?.value,
            settings: .object(settings),
            capacity: fields.number("capacity", 1...1_000))
    }

    private func value(_ setting: ProviderDescriptor.Setting, _ fields: Fields, _ mark: Place?) -> JSON? {
        guard fields[setting.key] != nil else { return nil }
        switch setting.kind {
        case .text: return fields.text(setting.key).map { .string($0.value) }
        case .choice(let words):
            guard let text = fields.text(setting.key) else { return nil }
            if !words.contains(text.value) {
                report.error(.value, text.mark, "'\(fields.path(setting.key))' must be one of: \(words.joined(separator: ", "))")
            }
            return .string(text.value)
        case .urlTemplate(let marks): return url(setting, marks, fields, mark)
        case .dialIn: return dialIn(setting.key, fields)
        }
    }

    private func url(_ setting: ProviderDescriptor.Setting, _ marks: [String], _ fields: Fields, _ mark: Place?) -> JSON? {
        guard let (url, place) = fields.text(setting.key, limit: 500) else { return nil }
        let isPlain = url.utf8.allSatisfy {
            $0 > 32 && $0 < 127 && $0 != UInt8(ascii: "\"") && $0 != UInt8(ascii: "<") && $0 != UInt8(ascii: ">")
        }
        let host = url.dropFirst("https://".count).prefix { $0 != "/" && $0 != "?" && $0 != "#" }
        guard url.hasPrefix("https://"), isPlain, !host.isEmpty, !host.contains("{"), !host.contains("@") else {
            report.error(.value, place, "'\(fields.path(setting.key))' must be an address that begins with https:// and a fixed host")
            return nil
        }
        if report.checkMarks(url, among: marks, place), marks.contains("code"), !url.contains("{code}") {
            report.warning(
                .sharedRoom, place,
                "'\(fields.path(setting.key))' holds no {code}: all bookings share one room, and whoever has its link can walk in on others"
            )
        }
        return .string(url)
    }

    private func dialIn(_ key: String, _ fields: Fields) -> JSON? {
        guard case .sequence(let items)? = fields[key] else {
            report.error(.type, fields[key]?.place, "'\(fields.path(key))' must be a list: [{ country: DE, number: \"+49 30 901820\" }]")
            return nil
        }
        return .array(
            items.enumerated().compactMap { index, node in
                guard let entry = Fields(node, "\(fields.path(key))[\(index)]", report) else { return nil }
                entry.refuseUnknown(["country", "number", "pin"])
                entry.require(["country", "number"])
                let (country, number, pin) = (entry.text("country"), entry.text("number"), entry.text("pin"))
                if let country, country.value.wholeMatch(of: /[A-Z]{2}/) == nil {
                    report.error(.value, country.mark, "'\(entry.path("country"))' must be a country's two capital letters, such as DE")
                }
                if let number, number.value.wholeMatch(of: /\+[0-9][0-9 ()\-]{4,30}/) == nil {
                    report.error(
                        .value, number.mark,
                        "'\(entry.path("number"))' must be an international telephone number in quotes, such as \"+49 30 901820\"")
                }
                if let pin, pin.value != "{pin}", pin.value.wholeMatch(of: /[0-9]{1,20}/) == nil {
                    report.error(
                        .value, pin.mark, "'\(entry.path("pin"))' must be digits, or \"{pin}\" for one that is made for each booking")
                }
                guard let country, let number else { return nil }
                return ["country": .string(country.value), "number": .string(number.value), "pin": JSON(pin?.value)]
            })
    }
}
