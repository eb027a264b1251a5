import Foundation
import UsherCore

/// The customs of one language in one region: lists, durations, names of countries, direction of writing. All of it is the
/// platform's locale data.
struct ReaderLocale: Sendable {
    let locale: Locale
    /// `ltr` or `rtl`.
    let direction: String
    /// Between the parts of a line, the blank included.
    let comma: String
    let semicolon: String

    private static let known = Memo<String, ReaderLocale>(limit: 1_000)
    private static let durations = Memo<String, String>(limit: 2_000)
    private static let countries = Memo<String, String>(limit: 5_000)

    /// - Parameters:
    ///   - tag: `en`, `en-US`.
    ///   - zone: the reader's: its country is the region where the tag names none.
    static func of(_ tag: String, zone: String? = nil) -> ReaderLocale {
        let language = Language.base(tag)
        let region = Language.region(tag) ?? zone.flatMap { UsherMail.country(ofZone: $0) }
        return known.value("\(language) \(region ?? "")") { ReaderLocale(language, region) }
    }

    private init(_ language: String, _ region: String?) {
        // English without a country means the day before the month and 24 hours, as most of the world writes them.
        let place = region ?? (language == "en" ? "GB" : nil)
        // Numbers and passcodes of a mail are in Western digits, and so are its times.
        locale = Locale(identifier: (place.map { "\(language)_\($0)" } ?? language) + (language == "ar" ? "@numbers=latn" : ""))
        let isRightToLeft = Locale.Language(identifier: language).characterDirection == .rightToLeft
        direction = isRightToLeft ? "rtl" : "ltr"
        (comma, semicolon) =
            switch language {
            case "ar": ("، ", "؛ ")
            case "ja": ("、", "；")
            default: (", ", "; ")
            }
    }

    /// The text so that what stands beside it in a line of the other direction cannot be shuffled with it: between the marks of
    /// Unicode TR 9 §2.4 where that may be.
    func isolated(_ text: String) -> String {
        guard !text.isEmpty, direction == "rtl" || text.unicodeScalars.contains(where: \.isRightToLeft) else { return text }
        return "\u{2068}\(text)\u{2069}"
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

extension Unicode.Scalar {
    /// Hebrew, Arabic and the scripts beside them.
    fileprivate var isRightToLeft: Bool {
        (0x0590...0x08FF).contains(value) || (0xFB1D...0xFDFF).contains(value) || (0xFE70...0xFEFF).contains(value)
            || (0x10800...0x10FFF).contains(value) || (0x1E800...0x1EFFF).contains(value)
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
