import Foundation
import Synchronization
import UsherCore

/// The customs of one language: lists, durations, names of countries, direction of writing. All of it is the platform's locale data.
struct ReaderLocale: Sendable {
    let locale: Locale
    /// `ltr` or `rtl`.
    let direction: String

    private static let known = Mutex<[String: ReaderLocale]>([:])
    private static let durations = Mutex<[String: String]>([:])
    private static let countries = Mutex<[String: String]>([:])

    static func of(_ language: String) -> ReaderLocale {
        if let known = known.withLock({ $0[language] }) { return known }
        // English without a country means the day before the month and 24 hours, as most of the world writes them.
        let locale = Locale(identifier: language == "en" ? "en_GB" : language)
        let direction = Locale.Language(identifier: language).characterDirection == .rightToLeft ? "rtl" : "ltr"
        let made = ReaderLocale(locale: locale, direction: direction)
        known.withLock { $0[language] = made }
        return made
    }

    /// `A, B and C`.
    func list(_ names: [String]) -> String {
        names.count < 2 ? names.first ?? "" : names.formatted(.list(type: .and).locale(locale))
    }

    /// `1 hour, 30 minutes`.
    func duration(_ duration: Duration) -> String {
        let key = "\(locale.identifier) \(duration.wholeSeconds)"
        if let known = Self.durations.withLock({ $0[key] }) { return known }
        let text = Swift.Duration.seconds(duration.wholeSeconds).formatted(
            .units(allowed: [.days, .hours, .minutes, .seconds], width: .wide).locale(locale))
        Self.durations.withLock { durations in
            if durations.count > 2_000 { durations.removeAll() }
            durations[key] = text
        }
        return text
    }

    /// `Germany`, or the code where the platform knows no name.
    func country(_ code: String) -> String {
        let key = "\(locale.identifier) \(code)"
        if let known = Self.countries.withLock({ $0[key] }) { return known }
        let name = locale.localizedString(forRegionCode: code) ?? code
        Self.countries.withLock { countries in
            if countries.count > 5_000 { countries.removeAll() }
            countries[key] = name
        }
        return name
    }
}

/// The country of a time zone (ISO 3166-1 alpha-2), by the time zone database's table of principal zones, `zone.tab`.
/// Source: https://data.iana.org/time-zones/tzdb/zone.tab, in the public domain.
func country(ofZone name: String) -> String? { zoneCountries[name] }

private let zoneCountries: [String: String] = {
    var countries: [String: String] = [:]
    for line in String(decoding: PackageResources.countries_txt, as: UTF8.self).split(separator: "\n") {
        let parts = line.split(separator: " ")
        if parts.count == 2 { countries[String(parts[0])] = String(parts[1]) }
    }
    return countries
}()
