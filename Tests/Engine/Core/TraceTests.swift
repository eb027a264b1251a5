import Testing
import UsherCore

/// Trace contexts as the W3C writes them. Source of the cases: https://www.w3.org/TR/trace-context/
@Suite(.timeLimit(.minutes(1)))
struct TraceTests {
    private static let trace = "4bf92f3577b34da6a3ce929d0e0e4736"
    private static let parent = "00-\(trace)-00f067aa0ba902b7-01"

    @Test("a call in a trace has the trace's id and flags, and a span of its own")
    func handsOn() throws {
        let context = try #require(TraceContext(parent: Self.parent, state: "congo=t61rcWkgMzE,rojo=00f067aa0ba902b7"))
        let headers = context.headers(span: [0, 1, 0xAB, 3, 4, 5, 6, 0xFF])
        #expect(headers.map(\.name) == ["traceparent", "tracestate"])
        #expect(headers.map(\.value) == ["00-\(Self.trace)-0001ab03040506ff-01", "congo=t61rcWkgMzE,rojo=00f067aa0ba902b7"])
        #expect(TraceContext(stored: context.stored) == context)
        #expect(TraceContext(stored: "") == nil)
    }

    @Test(
        "what is no traceparent is left out",
        arguments: [
            "", "00", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7", "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            "00-00000000000000000000000000000000-00f067aa0ba902b7-01", "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
            "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-more",
            "00-4bf92f3577b34da6a3ce929d0e0e473-00f067aa0ba902b7-01", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-0g",
        ])
    func refuses(_ text: String) { #expect(TraceContext(parent: text) == nil) }

    @Test("of the flags only the one that is known goes on", arguments: [("ff", "01"), ("01", "01"), ("02", "00"), ("00", "00")])
    func flags(_ given: String, _ sent: String) throws {
        for version in ["00", "7a"] {
            let context = try #require(TraceContext(parent: "\(version)-\(Self.trace)-00f067aa0ba902b7-\(given)"))
            #expect(context.headers(span: [1, 2, 3, 4, 5, 6, 7, 8])[0].value == "00-\(Self.trace)-0102030405060708-\(sent)")
        }
    }

    @Test("a later version is read as this one, with what it adds; a state that is too long, or no text, is left out")
    func versions() throws {
        #expect(TraceContext(parent: "01-\(Self.trace)-00f067aa0ba902b7-01-what-is-new")?.traceID == Self.trace)
        for state in [String(repeating: "a", count: 600), "a=b\r\nSet-Cookie: x=y"] {
            #expect(try #require(TraceContext(parent: Self.parent, state: state)).headers(span: [1]).count == 1)
        }
    }
}
