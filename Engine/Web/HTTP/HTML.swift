import UsherMail

/// HTML. A literal stands as it is written; text that is interpolated is escaped, for elements and quoted attributes alike, and HTML
/// that is interpolated is not escaped again.
struct HTML: Sendable, Equatable, ExpressibleByStringInterpolation {
    private(set) var source: String

    init(stringLiteral literal: String) { source = literal }
    init(stringInterpolation: StringInterpolation) { source = stringInterpolation.source }
    /// What a template made.
    init(rendered: String) { source = rendered }
    /// HTML that says `text`.
    init(text: String) { source = escapedHTML(text) }

    struct StringInterpolation: StringInterpolationProtocol {
        fileprivate var source = ""

        init(literalCapacity: Int, interpolationCount: Int) { source.reserveCapacity(literalCapacity + interpolationCount * 16) }
        mutating func appendLiteral(_ literal: String) { source += literal }
        mutating func appendInterpolation(_ html: HTML) { source += html.source }
        mutating func appendInterpolation(_ text: some StringProtocol) { source += escapedHTML(String(text)) }
        mutating func appendInterpolation(_ number: some BinaryInteger) { source += String(number) }
    }

    static func + (one: HTML, other: HTML) -> HTML {
        var both = one
        both += other
        return both
    }
    static func += (one: inout HTML, other: HTML) { one.source += other.source }
}

extension Sequence<HTML> {
    func joined() -> HTML { reduce(into: "") { $0 += $1 } }
}
