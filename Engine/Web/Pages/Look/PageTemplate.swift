import Foundation

/// The templates of the pages, each in a file of its own: `join` is `Templates/join.html.mustache`. A site may bring its own in the folder
/// that `site.templates` names.
package enum PageTemplate: String, CaseIterable, Sendable {
    /// Around every page.
    case frame
    /// A form of one button.
    case button
    /// A word for how something does, with its mark.
    case chip

    /// Its file's name, in Usher and at a site.
    package var file: String { "\(rawValue).html.mustache" }

    /// Usher's own.
    var source: String {
        let bytes: [UInt8] =
            switch self {
            case .frame: PackageResources.frame_html_mustache
            case .button: PackageResources.button_html_mustache
            case .chip: PackageResources.chip_html_mustache
            }
        return String(decoding: bytes, as: UTF8.self)
    }
}
