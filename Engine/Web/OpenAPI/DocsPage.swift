import UsherCore
import UsherPipeline

/// The values of `docs.html.mustache`: how to begin, and the description of the API to read.
struct DocsPage: Sendable {
    struct Tag: Sendable {
        var tag: String
        var calls: [Call]
    }
    struct Call: Sendable {
        var method, callPath, summary: String
        var about: String?
        var parameters: Parameters?
        var bodySchema: String?
        var answers: [Answer]
    }
    struct Parameters: Sendable { var all: [Parameter] }
    struct Parameter: Sendable { var parameterName, place, detail: String }
    struct Answer: Sendable {
        var answerStatus, detail: String
        var answerSchema: String?
    }
    struct Schema: Sendable { var schemaName, definition: String }

    var docsIntro, docsURL: String
    var events: [String]
    let errors = ErrorMeaning.all
    var tags: [Tag]
    var schemas: [Schema]

    /// - Parameter document: of ``OpenAPIDocument``.
    init(_ document: JSON, publicURL: String) {
        docsIntro = document["info"]?["description"]?.string ?? ""
        docsURL = publicURL
        events = EventType.allCases.map(\.rawValue)
        schemas = (document["components"]?["schemas"]?.members ?? []).map { Schema(schemaName: $0.key, definition: $0.value.pretty) }
        let calls = (document["paths"]?.members ?? []).flatMap { path in
            (path.value.members ?? []).map { (tag: $0.value["tags"]?.array?.first?.string ?? "", call: Call(path.key, $0)) }
        }
        let names = calls.map(\.tag).reduce(into: [String]()) { if !$0.contains($1) { $0.append($1) } }
        tags = names.map { name in Tag(tag: name, calls: calls.filter { $0.tag == name }.map(\.call)) }
    }
}

extension DocsPage.Call {
    fileprivate init(_ path: String, _ operation: JSON.Member) {
        let value = operation.value
        (method, callPath) = (operation.key.uppercased(), path)
        (summary, about) = (value["summary"]?.string ?? "", value["description"]?.string)
        let found = (value["parameters"]?.array ?? []).map {
            DocsPage.Parameter(
                parameterName: $0["name"]?.string ?? "",
                place: ($0["in"]?.string ?? "") + ($0["required"] == true ? ", required" : ""), detail: $0["description"]?.string ?? "")
        }
        parameters = found.isEmpty ? nil : .init(all: found)
        bodySchema = Self.schema(value["requestBody"]?["content"])
        answers = (value["responses"]?.members ?? []).map {
            .init(
                answerStatus: $0.key, detail: $0.value["description"]?.string ?? "", answerSchema: Self.schema($0.value["content"]))
        }
    }

    private static func schema(_ content: JSON?) -> String? {
        content?.members?.first?.value["schema"]?["$ref"]?.string?.split(separator: "/").last.map(String.init)
    }
}
