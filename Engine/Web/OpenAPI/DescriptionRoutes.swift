import HTTPTypes
import Hummingbird
import Logging
import NIOCore
import Synchronization
import UsherCore
import UsherPipeline
import UsherStore

/// `/openapi.json` and `/docs`, made of the operations themselves.
struct DescriptionRoutes: Sendable {
    let publicURL: String
    /// All operations, these two among them.
    let all: @Sendable () -> [Operation]
    /// They say the same as long as the process lives.
    private let made = Made()

    private final class Made: Sendable {
        let document = Mutex<JSON?>(nil)
        let page = Mutex<HTML?>(nil)
    }

    init(publicURL: String, all: @escaping @Sendable () -> [Operation]) {
        self.publicURL = publicURL
        self.all = all
    }

    private var document: JSON {
        made.document.withLock { made in
            if let made { return made }
            let document = OpenAPIDocument.json(all(), publicURL: publicURL)
            made = document
            return document
        }
    }

    private var page: HTML {
        made.page.withLock { made in
            if let made { return made }
            let page = HTML(.docs, DocsPage(document, publicURL: publicURL))
            made = page
            return page
        }
    }

    var operations: [Operation] {
        [
            Operation(
                method: .get, path: "/openapi.json", id: "openapi", access: .open, summary: "This description, OpenAPI 3.1.",
                answers: .other("application/json")
            ) { _ in Response.json(.ok, document) },
            Operation(
                method: .get, path: "/docs", id: "docs", access: .open, summary: "This description, to read.", answers: .other("text/html")
            ) { _ in Page.response(.ok, "Usher API", page, around: .init(width: .middle)) },
        ]
    }
}
