import UsherCore
import UsherMail

/// `/docs`: the description as a page, with nothing from elsewhere.
enum DocsPage {
    /// - Parameter document: of ``OpenAPIDocument``.
    static func html(_ document: JSON) -> String {
        let paths = document["paths"]?.members ?? []
        let tags = paths.flatMap { $0.value.members ?? [] }.compactMap { $0.value["tags"]?.array?.first?.string }
        let sections = tags.reduce(into: [String]()) { if !$0.contains($1) { $0.append($1) } }.map { tag in
            let calls = paths.flatMap { path in
                (path.value.members ?? []).filter { $0.value["tags"]?.array?.first?.string == tag }.map { call(path.key, $0) }
            }
            return "<section><h2 id=\"\(escapedHTML(tag))\">\(escapedHTML(tag))</h2>\(calls.joined())</section>"
        }
        let schemas = (document["components"]?["schemas"]?.members ?? []).map { schema in
            "<details id=\"schema-\(escapedHTML(schema.key))\"><summary><code>\(escapedHTML(schema.key))</code></summary><pre>\(escapedHTML(schema.value.pretty))</pre></details>"
        }
        return "<p>\(escapedHTML(document["info"]?["description"]?.string ?? ""))</p><p><a href=\"/openapi.json\">openapi.json</a></p>"
            + sections.joined() + "<section><h2>Schemas</h2>\(schemas.joined())</section>"
    }

    private static func call(_ path: String, _ operation: JSON.Member) -> String {
        let value = operation.value
        let head =
            "<summary><code>\(escapedHTML(operation.key.uppercased())) \(escapedHTML(path))</code><br>\(escapedHTML(value["summary"]?.string ?? ""))</summary>"
        let parameters = (value["parameters"]?.array ?? []).map { parameter in
            "<li><code>\(escapedHTML(parameter["name"]?.string ?? ""))</code> (\(escapedHTML(parameter["in"]?.string ?? ""))\(parameter["required"] == true ? ", required" : "")) \(escapedHTML(parameter["description"]?.string ?? ""))</li>"
        }
        let answers = (value["responses"]?.members ?? []).map { answer in
            "<li><code>\(escapedHTML(answer.key))</code> \(escapedHTML(answer.value["description"]?.string ?? ""))\(schema(answer.value["content"]))</li>"
        }
        let body = schema(value["requestBody"]?["content"])
        return "<details>\(head)<p>\(escapedHTML(value["description"]?.string ?? ""))</p>"
            + (parameters.isEmpty ? "" : "<h3>Parameters</h3><ul>\(parameters.joined())</ul>")
            + (body.isEmpty ? "" : "<h3>Body</h3><p>\(body)</p>") + "<h3>Answers</h3><ul>\(answers.joined())</ul></details>"
    }

    private static func schema(_ content: JSON?) -> String {
        guard let reference = content?.members?.first?.value["schema"]?["$ref"]?.string, let name = reference.split(separator: "/").last
        else { return "" }
        return " <a href=\"#schema-\(escapedHTML(String(name)))\">\(escapedHTML(String(name)))</a>"
    }
}
