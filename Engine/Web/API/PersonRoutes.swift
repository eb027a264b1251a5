import Hummingbird
import UsherCore
import UsherPipeline

/// `/v1/people`: what is stored about one person, and its erasure. The address travels in the body, so that no log holds it.
struct PersonRoutes: Sendable {
    let context: EngineContext

    var operations: [Operation] {
        [
            Operation(
                method: .post, path: "/v1/people/export", id: "exportPerson", access: .key(.admin),
                summary: "All that is stored about the person with an address, by table; what is sealed is named, and not shown.",
                takes: .json(PersonRequest.self), isIdempotent: true, answers: .json(.ok, PersonExport.self)
            ) { call in
                let (request, findings) = try call.read(PersonRequest.self)
                try request.check(findings)
                return Response.json(.ok, try await PersonService(context).export(request.email))
            },
            Operation(
                method: .post, path: "/v1/people/erase", id: "erasePerson", access: .key(.admin),
                summary: "Erase what is stored about the person with an address; without `confirm` it says what it would do.",
                takes: .json(PersonRequest.self), isIdempotent: true, answers: .json(.ok, PersonService.Erasure.self)
            ) { call in
                let (request, findings) = try call.read(PersonRequest.self)
                try request.check(findings)
                let done = try await PersonService(context).erase(request.email, isDryRun: !request.isConfirmed)
                return Response.json(.ok, done.json)
            },
        ]
    }
}

/// The body of both calls.
struct PersonRequest: JSONRequest {
    var email: String
    var isConfirmed: Bool

    static let schemaName = "PersonRequest"
    static let examples: [JSON] = [["email": "bo@example.org"]]

    init(_ reader: inout JSONReader) {
        email = reader.required("email", "The person's address.", [.init("format", "email")])
        isConfirmed = reader.bool("confirm", "Erase; only look where it is not given.") ?? false
    }

    func check(_ findings: [UsherError.Finding]) throws(UsherError) {
        guard !findings.isEmpty else { return }
        throw UsherError(.validationFailed, "The request is not valid.", findings: findings)
    }
}

/// What is stored, by table.
enum PersonExport: JSONNamed {
    static let schemaName = "PersonExport"
    static var definition: JSON {
        [
            "type": "object", "required": ["address", "at", "bookings"],
            "properties": [
                "address": ["type": "string", "description": "Whose data it is."],
                "at": ["type": "string", "format": "date-time", "description": "When it was taken."],
                "bookings": ["type": "array", "items": ["type": "object"], "description": "Those that the address has to do with."],
            ], "additionalProperties": ["type": "array", "items": ["type": "object"]],
        ]
    }
    static var parts: [any JSONNamed.Type] { [] }
}
