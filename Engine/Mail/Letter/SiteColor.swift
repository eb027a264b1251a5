import Foundation
import UsherCore

/// The site's colour, and colours beside it that can be read: every text has a contrast of at least 4.5 to 1.
/// Source of the formulas: https://www.w3.org/TR/WCAG22/#dfn-contrast-ratio
package struct SiteColor: Sendable {
    /// As background of the head and of buttons.
    package let plain: String
    /// Text upon ``plain``.
    package let onPlain: String
    /// Links upon light grounds, and upon dark ones.
    package let link: String
    package let darkLink: String

    /// Of the grounds that mails and pages have, the ones on which it is hardest to read.
    static let paper = "#f3f4f2"
    static let darkPaper = "#252a27"
    private static let enough = 4.5

    private static let known = Memo<String, SiteColor>(limit: 100)

    /// - Parameter text: `#rrggbb`.
    package static func of(_ text: String) -> SiteColor { known.value(text) { SiteColor(text) } }

    private init(_ text: String) {
        plain = text
        onPlain = Self.contrast(text, "#ffffff") >= Self.enough ? "#ffffff" : "#000000"
        link = Self.mixed(text, towards: "#000000", on: Self.paper)
        darkLink = Self.mixed(text, towards: "#ffffff", on: Self.darkPaper)
    }

    /// The colour, moved towards another in tenths until it can be read.
    private static func mixed(_ color: String, towards other: String, on ground: String) -> String {
        let (from, to) = (channels(color), channels(other))
        for step in 0...10 {
            let mixed = zip(from, to).map { $0 + ($1 - $0) * Double(step) / 10 }
            let text = "#" + mixed.map { hex($0) }.joined()
            if contrast(text, ground) >= enough { return text }
        }
        return other
    }

    static func contrast(_ one: String, _ other: String) -> Double {
        let (a, b) = (luminance(one), luminance(other))
        return (max(a, b) + 0.05) / (min(a, b) + 0.05)
    }

    private static func luminance(_ color: String) -> Double {
        let linear = channels(color).map { channel in
            let value = channel / 255
            return value <= 0.04045 ? value / 12.92 : pow((value + 0.055) / 1.055, 2.4)
        }
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
    }

    private static func channels(_ color: String) -> [Double] {
        let value = Int(color.dropFirst(), radix: 16) ?? 0
        return [value >> 16 & 255, value >> 8 & 255, value & 255].map(Double.init)
    }

    private static func hex(_ channel: Double) -> String {
        let value = Int(channel.rounded())
        return String(value >> 4, radix: 16) + String(value & 15, radix: 16)
    }
}
