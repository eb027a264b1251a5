import UsherCore

/// `/admin/style`: every part that pages are made of, to look at after a change of colour, logo or template.
enum AdminStyle {
    static func page(now: Instant) -> AdminViews.Shown {
        AdminViews.Shown(title: "How pages look", sections: parts(now) + [table(now), empty] + notices)
    }

    private static func parts(_ now: Instant) -> [SectionPart] {
        let tones: [Tone] = [.good, .warn, .bad, .idle]
        let tiles = tones.map { tone in
            SectionPart.Tile(tilePath: "#tiles", tileCount: "12", tileName: "of something", tone: tone.rawValue, chipWord: tone.rawValue)
        }
        let chart = ChartPart(
            "A chart",
            (1...7).map { day in
                .init(name: "\(day)", parts: [(.good, Double(day), "\(day) good"), (.bad, Double(day % 3), "\(day % 3) bad")])
            })
        let events = tones.map { tone in
            SectionPart.Event(
                eventTone: tone.rawValue, eventName: "something.\(tone.rawValue)", times: tone == .idle ? "×12" : nil, eventAt: now.rfc3339,
                eventTime: AdminTime.text(now), eventActor: ", somebody", eventDetail: "What became of it.")
        }
        return [
            SectionPart(anchor: "tiles", heading: "Tiles", tiles: .init(all: tiles)),
            SectionPart(heading: "A picture", charts: .init(all: [chart])),
            SectionPart(
                heading: "Details", begin: now.rfc3339, beginText: AdminTime.text(now),
                pairs: .init(all: tones.map { .init("A name", "and what it stands for", ChipPart($0, $0.rawValue)) })),
            SectionPart(heading: "A way", events: .init(all: events)),
            SectionPart(
                heading: "What leads on",
                actions: SectionPart.actions(
                    FormButton("The one that matters", action: "/admin/style", key: nil),
                    FormButton("Another", action: "/admin/style", key: nil, isPlain: true),
                    FormButton("A quiet one", action: "/admin/style", key: nil, isQuiet: true)),
                ways: [
                    WayPart(wayPath: "#tiles", wayName: "A link"), WayPart(wayPath: "#tiles", wayName: "A link that matters", isMain: true),
                ]),
        ]
    }

    private static func table(_ now: Instant) -> SectionPart {
        SectionPart(
            heading: "A table",
            table: TablePart(
                ["Time", "Link", "Text", "State", ""],
                [
                    [
                        .time(now), .link("#tiles", "A link"), .text("Some words"), .chip(.good, "fine"),
                        .press(FormButton("Press", action: "/admin/style", key: nil, isPlain: true)),
                    ],
                    [
                        .time(now), .link("#tiles", "مرحبا"), .text("averylongwordthatdoesnotbreakanywhere"), .chip(.bad, "look"),
                        .press(nil),
                    ],
                ], empty: ""))
    }

    private static let empty = SectionPart(
        heading: "Nothing", table: TablePart([], [], empty: "What would stand here, and what leads to it."))

    private static let notices: [SectionPart] = [
        SectionPart(heading: "Notices", notice: NoticePart(.good, "Something was done.")),
        SectionPart(isPart: true, notice: NoticePart(.warn, "Something wants a look.", "And how to mend it.")),
        SectionPart(isPart: true, notice: NoticePart(.bad, "Something is wrong.", "And how to mend it.")),
        SectionPart(
            isPart: true, notice: NoticePart(.idle, "Something is so."),
            points: .init(all: [.init(pointText: "meeting-types.yaml:7:3: error: …", excerpt: "  7 |   duratoin: 30m\n    |   ^")])),
    ]
}
