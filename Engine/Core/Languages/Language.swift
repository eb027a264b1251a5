/// The languages that readers may choose, by ISO 639-1 code, with or without a region: `en`, `en-US`, `pt-BR` (BCP 47).
public enum Language {
    /// The one list: a language, and the words that mails and pages say in it (`Words/words.{language}.json`).
    package static let words: KeyValuePairs<String, [UInt8]> = [
        "en": PackageResources.words_en_json, "de": PackageResources.words_de_json, "fr": PackageResources.words_fr_json,
        "es": PackageResources.words_es_json, "it": PackageResources.words_it_json, "pt": PackageResources.words_pt_json,
        "nl": PackageResources.words_nl_json, "pl": PackageResources.words_pl_json, "uk": PackageResources.words_uk_json,
        "ja": PackageResources.words_ja_json, "ar": PackageResources.words_ar_json,
    ]

    /// Tags of the languages that mails and pages speak.
    public static let all = words.map(\.key)

    /// The tag as it is kept: `en-us` is `en-US`; `nil` for a language that is not spoken here, or for what is no tag.
    public static func normalized(_ tag: String) -> String? {
        let parts = tag.split(separator: "-", omittingEmptySubsequences: false)
        guard let first = parts.first, all.contains(first.lowercased()), parts.count <= 2 else { return nil }
        guard parts.count == 2 else { return first.lowercased() }
        let region = parts[1].uppercased()
        let isCountry = region.utf8.count == 2 && region.utf8.allSatisfy { (65...90).contains($0) }
        return isCountry ? "\(first.lowercased())-\(region)" : nil
    }

    /// The language without its region, as files and templates name it.
    public static func base(_ tag: String) -> String { String(tag.prefix { $0 != "-" }) }

    /// ISO 3166-1 alpha-2; `nil` where the tag names none.
    public static func region(_ tag: String) -> String? {
        let parts = tag.split(separator: "-")
        return parts.count == 2 ? String(parts[1]) : nil
    }

    /// What JSON Schema says of a tag.
    package static let rules: [JSON.Member] = [.init("pattern", .string("^(\(all.joined(separator: "|")))(-[A-Za-z]{2})?$"))]

    /// For a message about a tag that is none.
    public static let choices = "must be one of: \(all.joined(separator: ", ")); a region may follow, as in en-US"
}
