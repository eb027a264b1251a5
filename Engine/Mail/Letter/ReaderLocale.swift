import Foundation
import UsherCore

/// The customs of one language: lists, durations, names of countries, direction of writing. All of it is the platform's locale data.
struct ReaderLocale: Sendable {
    let locale: Locale
    /// `ltr` or `rtl`.
    let direction: String

    private static let known = Memo<String, ReaderLocale>(limit: 100)
    private static let durations = Memo<String, String>(limit: 2_000)
    private static let countries = Memo<String, String>(limit: 5_000)

    static func of(_ language: String) -> ReaderLocale {
        known.value(language) {
            // English without a country means the day before the month and 24 hours, as most of the world writes them.
            let locale = Locale(identifier: language == "en" ? "en_GB" : language)
            let direction = Locale.Language(identifier: language).characterDirection == .rightToLeft ? "rtl" : "ltr"
            return ReaderLocale(locale: locale, direction: direction)
        }
    }

    /// `A, B and C`.
    func list(_ names: [String]) -> String {
        names.count < 2 ? names.first ?? "" : names.formatted(.list(type: .and).locale(locale))
    }

    /// `1 hour, 30 minutes`.
    func duration(_ duration: Duration) -> String {
        Self.durations.value("\(locale.identifier) \(duration.wholeSeconds)") {
            Swift.Duration.seconds(duration.wholeSeconds).formatted(
                .units(allowed: [.days, .hours, .minutes, .seconds], width: .wide).locale(locale))
        }
    }

    /// `Germany`, or the code where the platform knows no name.
    func country(_ code: String) -> String {
        Self.countries.value("\(locale.identifier) \(code)") { locale.localizedString(forRegionCode: code) ?? code }
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
