import Hummingbird
import UsherCore

/// Which language a visitor reads of whom nothing is known.
enum VisitorLanguage {
    /// The language that is liked best of those that we speak (RFC 9110 §12.5.4).
    private static func accepted(_ header: String) -> String? {
        let ranges = header.split(separator: ",").map { $0.split(separator: ";").map(\.trimmingBlanks) }
        let weighed = ranges.compactMap { parts -> (language: String, weight: Double)? in
            guard let language = parts.first.flatMap({ Language.normalized($0) }) else { return nil }
            let weight = parts.dropFirst().first { $0.hasPrefix("q=") }.map { Double($0.dropFirst(2)) ?? 0 } ?? 1
            return weight > 0 ? (language, weight) : nil
        }
        // Of several that are liked alike, the first.
        return weighed.reversed().max { $0.weight < $1.weight }?.language
    }

    /// The language that the address asks for, or the browser; the site's where neither is spoken here.
    static func of(_ request: Request, _ site: Site) -> String {
        if let asked = request.uri.queryParameters["language"].flatMap({ Language.normalized(String($0)) }) { return asked }
        return accepted(request.headers[.acceptLanguage] ?? "") ?? site.language
    }
}
