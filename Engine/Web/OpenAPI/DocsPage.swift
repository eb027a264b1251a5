import UsherCore
import UsherMail

/// `/docs`: the description as a page, with nothing from elsewhere.
enum DocsPage {
    /// - Parameter document: of ``OpenAPIDocument``.
    static func html(_ document: JSON) -> HTML {
        let paths = document["paths"]?.members ?? []
        let tags = paths.flatMap { $0.value.members ?? [] }.compactMap { $0.value["tags"]?.array?.first?.string }
        let sections = tags.reduce(into: [String]()) { if !$0.contains($1) { $0.append($1) } }.map { tag -> HTML in
            let calls = paths.flatMap { path in
                (path.value.members ?? []).filter { $0.value["tags"]?.array?.first?.string == tag }.map { call(path.key, $0) }
            }
            return "<section><h2 id=\"\(tag)\">\(tag)</h2>\(calls.joined())</section>"
        }
        let schemas = (document["components"]?["schemas"]?.members ?? []).map { schema -> HTML in
            "<details id=\"schema-\(schema.key)\"><summary><code>\(schema.key)</code></summary><pre>\(schema.value.pretty)</pre></details>"
        }
        return "<p>\(document["info"]?["description"]?.string ?? "")</p><p><a href=\"/openapi.json\">openapi.json</a></p>"
            + sections.joined() + "<section><h2>Schemas</h2>\(schemas.joined())</section>"
    }

    private static func call(_ path: String, _ operation: JSON.Member) -> HTML {
        let value = operation.value
        let head: HTML =
            "<summary><code>\(operation.key.uppercased()) \(path)</code><br>\(value["summary"]?.string ?? "")</summary>"
        let parameters = (value["parameters"]?.array ?? []).map { parameter -> HTML in
            "<li><code>\(parameter["name"]?.string ?? "")</code> (\(parameter["in"]?.string ?? "")\(parameter["required"] == true ? ", required" : "")) \(parameter["description"]?.string ?? "")</li>"
        }
        let answers = (value["responses"]?.members ?? []).map { answer -> HTML in
            "<li><code>\(answer.key)</code> \(answer.value["description"]?.string ?? "")\(schema(answer.value["content"]))</li>"
        }
        let body = schema(value["requestBody"]?["content"])
        return "<details>\(head)<p>\(value["description"]?.string ?? "")</p>"
            + (parameters.isEmpty ? "" : "<h3>Parameters</h3><ul>\(parameters.joined())</ul>")
            + (body == "" ? "" : "<h3>Body</h3><p>\(body)</p>") + "<h3>Answers</h3><ul>\(answers.joined())</ul></details>"
    }

    private static func schema(_ content: JSON?) -> HTML {
        guard let reference = content?.members?.first?.value["schema"]?["$ref"]?.string, let name = reference.split(separator: "/").last
        else { return "" }
        return " <a href=\"#schema-\(name)\">\(name)</a>"
    }
}
