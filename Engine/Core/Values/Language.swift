/// The languages that readers may choose, by ISO 639-1 code, with or without a region: `en`, `en-US`, `pt-BR` (BCP 47).
public enum Language {
    /// Tags of the languages that mails and pages speak.
    public static let all = ["en", "de", "fr", "es", "it", "pt", "nl", "pl", "uk", "ja", "ar"]

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

    /// For a message about a tag that is none.
    public static let choices = "must be one of: \(all.joined(separator: ", ")); a region may follow, as in en-US"
}
