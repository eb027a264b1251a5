import UsherCore
import UsherPipeline

/// `sections.html.mustache`: a part of an admin's page, and all that may stand in one, in this order.
struct SectionPart: Sendable {
    struct Tiles: Sendable { var all: [Tile] }
    /// How many of something there are, whether that is well, and where it leads.
    struct Tile: Sendable { var tilePath, tileCount, tileName, tone, chipWord: String }
    struct Charts: Sendable { var all: [ChartPart] }
    struct Search: Sendable {
        var searchPath, searchName, searchText: String
        var statuses: [OptionPart]
    }
    struct Pairs: Sendable { var all: [Pair] }
    struct Pair: Sendable {
        var pairName, pairText: String
        var state: ChipPart?

        init(_ name: String, _ text: String, _ state: ChipPart? = nil) { (pairName, pairText, self.state) = (name, text, state) }
    }
    struct Points: Sendable { var all: [Point] }
    struct Point: Sendable {
        var pointText: String
        /// Source lines that it is about.
        var excerpt: String?
    }
    struct Events: Sendable { var all: [Event] }
    struct Event: Sendable {
        var eventTone, eventName: String
        /// `×12`, where the same came so often.
        var times: String?
        var eventAt, eventTime, eventActor: String
        var eventDetail: String?
    }
    struct Actions: Sendable { var buttons: [FormButton] }

    /// What links within the page lead to.
    var anchor: String?
    /// Seconds after which it is asked for again; it needs an anchor then.
    var refresh: String?
    var heading: String?
    /// Whether it belongs to the section before it.
    var isPart = false
    var tiles: Tiles?
    var notice: NoticePart?
    var begin: String?
    var beginText = ""
    var lines: [String] = []
    var quiet: String?
    var charts: Charts?
    var search: Search?
    var pairs: Pairs?
    var table: TablePart?
    var points: Points?
    var events: Events?
    var actions: Actions?
    var ways: [WayPart] = []

    /// A list, or `nil` where there is nothing to list.
    static func points(_ lines: [String]) -> Points? { lines.isEmpty ? nil : Points(all: lines.map { Point(pointText: $0) }) }
    /// Buttons that the visitor may press, or `nil` where there is none.
    static func actions(_ buttons: FormButton?...) -> Actions? {
        let shown = buttons.compactMap(\.self)
        return shown.isEmpty ? nil : Actions(buttons: shown)
    }
}

extension HTML {
    init(_ sections: [SectionPart]) {
        struct Values { var sections: [SectionPart] }
        self.init(.sections, Values(sections: sections))
    }
}
