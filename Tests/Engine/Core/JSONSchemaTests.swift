import Testing
import UsherCore

@Suite("JSON with its schema", .timeLimit(.minutes(1)))
struct JSONSchemaTests {
    enum Colour: String, JSONChoice { case red, green }

    struct Paint: JSONObject {
        var name: String
        var colour: Colour?
        var coats: Int64?
        var base: [Base] = []

        static let schemaName = "Paint"
        static let fields: [JSONField<Paint>] = [
            .init("name", "As on the tin.", .length(1...5)) { $0.name }, .init("colour", "") { $0.colour },
            .ifPresent("coats", "") { $0.coats }, .init("base", "") { $0.base },
        ]
    }

    struct Base: JSONObject {
        static let schemaName = "Base"
        static let fields: [JSONField<Base>] = [.init("kind", "") { _ in "oil" }]
    }

    struct Order: JSONRequest {
        var name: String
        var colour: Colour?
        var lines: [Line]

        static let schemaName = "Order"
        init(_ reader: inout JSONReader) {
            name = reader.required("name", "As on the tin.")
            colour = reader.choice("colour")
            lines = reader.objects("lines", "", [.init("minItems", 1)], as: Line.self)
        }
    }

    struct Line: JSONRequest {
        var isUrgent: Bool

        static let schemaName = "Line"
        init(_ reader: inout JSONReader) { isUrgent = reader.bool("urgent") ?? false }
    }

    @Test("an object shows its fields in their order, null for nothing, and leaves out what is only shown where it is there")
    func object() throws {
        #expect(Paint(name: "sky", colour: nil, coats: nil).json == ["name": "sky", "colour": nil, "base": []])
        #expect(
            Paint(name: "sky", colour: .red, coats: 2, base: [Base()]).json
                == ["name": "sky", "colour": "red", "coats": 2, "base": [["kind": "oil"]]])
    }

    @Test("an object's schema says of each field what it may be, and names the objects that are in it")
    func schema() throws {
        #expect(
            Paint.definition == [
                "type": "object", "required": ["name", "colour", "base"],
                "properties": [
                    "name": ["type": "string", "minLength": 1, "maxLength": 5, "description": "As on the tin."],
                    "colour": ["type": ["string", "null"], "enum": ["red", "green", nil]], "coats": ["type": "integer"],
                    "base": ["type": "array", "items": ["$ref": "#/components/schemas/Base"]],
                ],
            ])
        #expect(Paint.parts.map { $0.schemaName } == ["Base"])
    }

    @Test("what a reader asks for is the schema of what it reads")
    func readerSchema() throws {
        #expect(
            Order.definition == [
                "type": "object", "required": ["name", "lines"],
                "properties": [
                    "name": ["type": "string", "description": "As on the tin."],
                    "colour": ["type": ["string", "null"], "enum": ["red", "green", nil]],
                    "lines": ["type": "array", "items": ["$ref": "#/components/schemas/Line"], "minItems": 1],
                ], "additionalProperties": false,
            ])
        #expect(Order.parts.map { $0.schemaName } == ["Line"])
    }

    @Test("all that is wrong in an object is found at once, wherever it lies")
    func findings() throws {
        let (order, findings) = Order.read(["colour": "blue", "lines": [["urgent": "yes"], ["urgnt": true], 3], "nmae": "sky"])
        #expect(
            findings.map { "\($0.pointer) \($0.detail)" } == [
                "/name is required", "/colour must be \"red\" or \"green\"", "/lines/0/urgent must be true or false",
                "/lines/1/urgnt is not a known field; did you mean 'urgent'?", "/lines/2 must be an object",
                "/nmae is not a known field; did you mean 'name'?",
            ])
        #expect(order.lines.count == 3)
    }

    @Test("null is as good as nothing, where nothing is allowed")
    func null() throws {
        let (order, findings) = Order.read(["name": "sky", "colour": nil, "lines": [["urgent": nil]]])
        #expect(findings.isEmpty && order.colour == nil && order.lines.map(\.isUrgent) == [false])
    }
}
