import UsherCore

/// `chart.html.mustache`: bars beside each other, each of parts that lie on one another. Drawn on the server; a bar's `title` says in words
/// what it shows, and so does the whole picture.
struct ChartPart: Sendable {
    /// What one bar shows.
    struct Column {
        var name: String
        /// From below, each with how it does.
        var parts: [(tone: Tone, value: Double, words: String)]
    }
    struct Bar: Sendable { var barTone, barX, barY, barWidth, barHeight, barTitle: String }
    struct Mark: Sendable { var markX, markY, markText: String }

    var chartName, chartSummary, chartWidth, chartHeight, axis: String
    var bars: [Bar] = []
    var marks: [Mark] = []

    private static let (width, height, foot, head) = (400.0, 120.0, 16.0, 14.0)

    private static let widest = 48.0

    /// - Parameters:
    ///   - unit: after the highest value.
    ///   - namesEvery: how many bars share a name below.
    init(_ name: String, _ columns: [Column], unit: String = "", namesEvery: Int = 1) {
        let sums = columns.map { $0.parts.reduce(0) { $0 + $1.value } }
        let most = sums.max() ?? 0
        (chartName, chartWidth, chartHeight) = (name, Self.short(Self.width), Self.short(Self.height))
        axis = Self.short(Self.height - Self.foot)
        let words = columns.map { "\($0.name): " + $0.parts.map(\.words).joined(separator: ", ") }
        chartSummary = "\(name). \(words.isEmpty ? "Nothing yet." : words.joined(separator: "; "))"
        guard most > 0 else {
            marks = [Mark(markX: Self.short(Self.width / 2 - 30), markY: Self.short(Self.height / 2), markText: "Nothing yet")]
            return
        }
        let (step, room) = (Self.width / Double(columns.count), Self.height - Self.foot - Self.head)
        for (index, column) in columns.enumerated() {
            var top = Self.height - Self.foot
            for part in column.parts where part.value > 0 {
                let high = max(part.value / most * room, 1)
                top -= high
                bars.append(
                    Bar(
                        barTone: "bar-\(part.tone.rawValue)", barX: Self.short(Double(index) * step + step * 0.15), barY: Self.short(top),
                        barWidth: Self.short(min(step * 0.7, Self.widest)), barHeight: Self.short(high), barTitle: words[index]))
            }
            if index % namesEvery == 0 {
                marks.append(
                    Mark(markX: Self.short(Double(index) * step + step * 0.15), markY: Self.short(Self.height - 4), markText: column.name))
            }
        }
        marks.append(Mark(markX: "0", markY: "10", markText: "\(Self.short(most))\(unit)"))
    }

    private static func short(_ number: Double) -> String {
        let rounded = (number * 10).rounded() / 10
        return rounded == rounded.rounded() ? String(Int(rounded)) : String(rounded)
    }
}
