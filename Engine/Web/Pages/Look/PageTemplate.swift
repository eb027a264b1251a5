import Foundation

/// The templates of the pages, each in a file of its own: `join` is `Templates/join.html.mustache`. A site may bring its own in the folder
/// that `site.templates` names.
package enum PageTemplate: String, CaseIterable, Sendable {
    /// Around every page.
    case frame
    // Parts that recur.
    case button, calendars, chart, chip, hidden, input, meeting, message, notice, option, table, time, times, week, zones
    // Pages.
    case docs, guest, home, join, key, manage, month, offers, onward, owner, sections, signin

    /// Its file's name, in Usher and at a site.
    package var file: String { "\(rawValue).html.mustache" }

    /// Usher's own.
    var source: String { String(decoding: bytes, as: UTF8.self) }

    private var bytes: [UInt8] {
        switch self {
        case .frame: PackageResources.frame_html_mustache
        case .button: PackageResources.button_html_mustache
        case .calendars: PackageResources.calendars_html_mustache
        case .chart: PackageResources.chart_html_mustache
        case .chip: PackageResources.chip_html_mustache
        case .hidden: PackageResources.hidden_html_mustache
        case .input: PackageResources.input_html_mustache
        case .meeting: PackageResources.meeting_html_mustache
        case .message: PackageResources.message_html_mustache
        case .notice: PackageResources.notice_html_mustache
        case .option: PackageResources.option_html_mustache
        case .table: PackageResources.table_html_mustache
        case .time: PackageResources.time_html_mustache
        case .times: PackageResources.times_html_mustache
        case .week: PackageResources.week_html_mustache
        case .zones: PackageResources.zones_html_mustache
        case .docs: PackageResources.docs_html_mustache
        case .guest: PackageResources.guest_html_mustache
        case .home: PackageResources.home_html_mustache
        case .join: PackageResources.join_html_mustache
        case .key: PackageResources.key_html_mustache
        case .manage: PackageResources.manage_html_mustache
        case .month: PackageResources.month_html_mustache
        case .offers: PackageResources.offers_html_mustache
        case .onward: PackageResources.onward_html_mustache
        case .owner: PackageResources.owner_html_mustache
        case .sections: PackageResources.sections_html_mustache
        case .signin: PackageResources.signin_html_mustache
        }
    }
}
