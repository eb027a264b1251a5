/// What a template made: HTML in which every value was escaped.
struct HTML: Sendable, Equatable {
    let source: String

    static func + (one: HTML, other: HTML) -> HTML { HTML(rendered: one.source + other.source) }

    /// - Parameter rendered: by a template alone.
    init(rendered: String) { source = rendered }
}
