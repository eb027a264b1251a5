import Foundation
import HTTPTypes
import UsherCore
import UsherPipeline

/// The API's description: paths from the operations themselves, schemas from the values that they take and answer.
/// Source of the form: https://spec.openapis.org/oas/v3.1.1.html
enum OpenAPIDocument {
    /// - Parameter publicURL: where the API is reached.
    static func json(_ operations: [Operation], publicURL: String) -> JSON {
        var paths: [JSON.Member] = []
        for operation in operations {
            let entry = JSON.Member(operation.method.rawValue.lowercased(), self.operation(operation))
            if let index = paths.firstIndex(where: { $0.key == operation.path }) {
                paths[index].value = .object((paths[index].value.members ?? []) + [entry])
            } else {
                paths.append(JSON.Member(operation.path, .object([entry])))
            }
        }
        return [
            "openapi": "3.1.1",
            "info": [
                "title": "Usher", "version": "1",
                "description":
                    "Bookings become meeting rooms, and everyone is told how to get in. Every error is application/problem+json (RFC 9457) with a stable code. Every POST under /v1 may be repeated under an Idempotency-Key.",
                "license": ["name": "Apache-2.0", "identifier": "Apache-2.0"],
            ],
            "servers": [["url": .string(publicURL)]], "paths": .object(paths),
            "webhooks": .object(EventType.allCases.map { JSON.Member($0.rawValue, webhook($0)) }),
            "components": [
                "schemas": .object(schemas(operations) + pages(operations)),
                "securitySchemes": ["key": ["type": "http", "scheme": "bearer", "description": "An API key: usher_…"]],
            ],
        ]
    }

    /// Every schema that an operation, an error or an event leads to, once.
    private static func schemas(_ operations: [Operation]) -> [JSON.Member] {
        var found: [any JSONNamed.Type] = []
        for type in operations.flatMap(types) + [ProblemDetails.self, WebhookEvent.self] { collect(type, &found) }
        return found.map { JSON.Member($0.schemaName, $0.definition) }
    }

    private static func types(_ operation: Operation) -> [any JSONNamed.Type] {
        let taken: [any JSONNamed.Type] =
            switch operation.takes {
            case .none: []
            case .json(let type), .maybe(let type): [type]
            }
        return switch operation.answers {
        case .json(_, let type), .page(let type): taken + [type]
        case .nothing, .other: taken
        }
    }

    private static func collect(_ type: any JSONNamed.Type, _ found: inout [any JSONNamed.Type]) {
        guard !found.contains(where: { $0 == type }) else { return }
        found.append(type)
        for part in type.parts { collect(part, &found) }
    }

    /// A list for each kind of item.
    private static func pages(_ operations: [Operation]) -> [JSON.Member] {
        var items: [String: any JSONNamed.Type] = [:]
        for operation in operations { if case .page(let type) = operation.answers { items[type.schemaName] = type } }
        return items.sorted { $0.key < $1.key }.map { name, type in
            JSON.Member(
                name + "Page",
                [
                    "type": "object", "required": ["items", "nextCursor"],
                    "properties": [
                        "items": ["type": "array", "items": type.reference, "description": "Those of this page."],
                        "nextCursor": ["type": ["string", "null"], "description": "For the next page; null on the last one."],
                    ],
                ])
        }
    }

    /// A schema with all that it refers to, for whoever reads it by itself.
    static func selfContained(_ type: any JSONNamed.Type) -> JSON {
        var parts: [any JSONNamed.Type] = []
        for part in type.parts { collect(part, &parts) }
        let defined = parts.map { JSON.Member($0.schemaName, $0.definition) }
        return local(.object((type.definition.members ?? []) + (defined.isEmpty ? [] : [.init("$defs", .object(defined))])))
    }

    private static let place = "#/components/schemas/"

    private static func local(_ json: JSON) -> JSON {
        switch json {
        case .object(let members):
            .object(
                members.map { member in
                    member.key == "$ref"
                        ? .init("$ref", .string((member.value.string ?? "").replacing(place, with: "#/$defs/")))
                        : .init(member.key, local(member.value))
                })
        case .array(let items): .array(items.map(local))
        default: json
        }
    }

    /// What a receiver is sent, by Standard Webhooks.
    private static func webhook(_ type: EventType) -> JSON {
        let headers = ["webhook-id", "webhook-timestamp", "webhook-signature"].map { name -> JSON in
            ["name": .string(name), "in": "header", "required": true, "schema": ["type": "string"]]
        }
        return [
            "post": [
                "summary": .string("Told when \(type.rawValue) happens; signed by https://www.standardwebhooks.com."),
                "parameters": .array(headers), "requestBody": body(WebhookEvent.self, isRequired: true),
                "responses": ["2XX": ["description": "Taken. Anything else is tried again; 410 turns the webhook off."]],
            ]
        ]
    }

    // MARK: One operation

    private static func operation(_ operation: Operation) -> JSON {
        var members: [JSON.Member] = [
            .init("operationId", .string(operation.id)), .init("summary", .string(operation.summary)),
            .init("tags", [.string(tag(operation.path))]),
        ]
        switch operation.access {
        case .open: members.append(.init("security", []))
        case .anyKey: members.append(.init("security", [["key": []]]))
        case .local(let scope):
            members.append(.init("security", [["key": []], [:]]))
            members.append(.init("description", .string("Needs the scope `\(scope.rawValue)` from anywhere but this machine.")))
        case .key(let scope):
            members.append(.init("security", [["key": []]]))
            members.append(.init("description", .string("Needs the scope `\(scope.rawValue)`.")))
        }
        let parameters = parameters(operation)
        if !parameters.isEmpty { members.append(.init("parameters", .array(parameters))) }
        switch operation.takes {
        case .none: break
        case .json(let type): members.append(.init("requestBody", body(type, isRequired: true)))
        case .maybe(let type): members.append(.init("requestBody", body(type, isRequired: false)))
        }
        let usual = ([answer(operation)] + problems(operation)).filter { member in !operation.more.contains { $0.key == member.key } }
        members.append(.init("responses", .object(usual + operation.more)))
        return .object(members)
    }

    private static func tag(_ path: String) -> String {
        let parts = path.split(separator: "/")
        return String(parts.first == "v1" ? parts[1] : "server")
    }

    private static func body(_ content: any JSONNamed.Type, isRequired: Bool) -> JSON {
        ["required": .bool(isRequired), "content": ["application/json": ["schema": content.reference]]]
    }

    private static func parameters(_ operation: Operation) -> [JSON] {
        let path = operation.path.split(separator: "/").filter { $0.hasPrefix("{") }.map { part -> JSON in
            [
                "name": .string(String(part.dropFirst().dropLast())), "in": "path", "required": true,
                "schema": ["type": "string", "minLength": 1],
            ]
        }
        let query = operation.query.map { parameter -> JSON in
            [
                "name": .string(parameter.name), "in": "query", "required": .bool(parameter.isRequired),
                "description": .string(parameter.detail), "schema": parameter.schema,
            ]
        }
        var headers: [JSON] = []
        if operation.isRepeatable {
            headers.append([
                "name": "Idempotency-Key", "in": "header", "required": false,
                "description": "The same key and request again within seven days gets the first one's result.",
                "schema": ["type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[ -~]+$"],
            ])
        }
        if operation.mayWait {
            headers.append([
                "name": "Prefer", "in": "header", "required": false,
                "description": "`wait=20` holds the answer until the meeting is ready or the time is up, at most 60 seconds.",
                "schema": ["type": "string", "examples": ["wait=20"]],
            ])
        }
        return path + query + headers
    }

    private static func answer(_ operation: Operation) -> JSON.Member {
        var status = HTTPTypes.HTTPResponse.Status.ok
        var content: JSON?
        switch operation.answers {
        case .json(let given, let type): (status, content) = (given, ["application/json": ["schema": type.reference]])
        case .page(let type): content = ["application/json": ["schema": ["$ref": .string("\(place)\(type.schemaName)Page")]]]
        case .nothing: status = .noContent
        case .other(let type): content = .object([.init(type, [:])])
        }
        var members = [JSON.Member("description", .string(operation.answers.isNothing ? "Done." : "As asked."))]
        let headers = headers(operation)
        if !headers.isEmpty { members.append(.init("headers", .object(headers))) }
        if let content { members.append(.init("content", content)) }
        return JSON.Member("\(status.code)", .object(members))
    }

    private static func headers(_ operation: Operation) -> [JSON.Member] {
        func header(_ name: String, _ detail: String) -> JSON.Member {
            .init(name, ["description": .string(detail), "schema": ["type": "string"]])
        }
        var headers: [JSON.Member] = []
        if case .open = operation.access {
        } else {
            headers.append(header("RateLimit", "What the key may do still; not for the admin's key of the configuration."))
            headers.append(header("RateLimit-Policy", "How often a key may call."))
        }
        if operation.isRepeatable { headers.append(header("Idempotency-Replayed", "`true` where the call had been made before.")) }
        if operation.mayWait {
            headers.append(header("Preference-Applied", "What became of Prefer."))
            headers.append(header("Location", "The booking's path."))
        }
        return headers
    }

    // MARK: What may go wrong

    /// The codes that an operation may answer with.
    static func codes(_ operation: Operation) -> Set<ErrorCode> {
        var codes = Set(operation.codes + [.overloaded, .internalError, .validationFailed])
        switch operation.access {
        case .open: break
        case .anyKey: codes.formUnion([.authMissing, .authInvalid, .rateLimited])
        case .key, .local: codes.formUnion([.authMissing, .authInvalid, .rateLimited, .authForbidden])
        }
        if operation.isRepeatable { codes.formUnion([.idempotencyMismatch, .payloadTooLarge, .requestMalformed, .requestMediaType]) }
        if operation.path.contains("{") { codes.insert(.notFound) }
        if case .none = operation.takes {
        } else {
            codes.formUnion([.requestMalformed, .requestMediaType, .payloadTooLarge])
        }
        return codes
    }

    private static func problems(_ operation: Operation) -> [JSON.Member] {
        let byStatus = Dictionary(grouping: codes(operation)) { $0.httpStatus.code }
        return byStatus.sorted { $0.key < $1.key }.map { status, codes in
            let names = codes.map(\.rawValue).sorted()
            let isBrief = status == 429 || status == 503
            return JSON.Member(
                "\(status)",
                [
                    "description": .string(names.map { "`\($0)`" }.joined(separator: ", ")),
                    "headers": isBrief ? ["Retry-After": ["description": "Seconds.", "schema": ["type": "string"]]] : [:],
                    // One schema for all, so that a generated client has one type; the codes stand in a property of ours.
                    "content": ["application/problem+json": ["schema": ProblemDetails.reference]],
                    "x-error-codes": .array(names.map(JSON.string)),
                ])
        }
    }
}

extension Operation.Answer {
    fileprivate var isNothing: Bool { if case .nothing = self { true } else { false } }
}
