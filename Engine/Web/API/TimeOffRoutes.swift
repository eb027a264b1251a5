import HTTPTypes
import Hummingbird
import UsherCore
import UsherPipeline
import UsherStore

/// `/v1/owners/{id}/time-off`: days on which an owner hosts nobody.
struct TimeOffRoutes: Sendable {
    private let owners: OwnerService
    private let service: TimeOffService

    private static let path = "/v1/owners/{id}/time-off"

    init(_ context: EngineContext) {
        owners = OwnerService(context)
        service = TimeOffService(context)
    }

    var operations: [Operation] {
        [
            Operation(
                method: .get, path: Self.path, id: "listTimeOff", access: .key(.ownersRead),
                summary: "Days on which an owner hosts nobody, as far as they are not over.", query: [.limit, .cursor],
                answers: .page(StoredTimeOff.self)
            ) { call in
                try Response.list(try await service.list(of: try await owner(call)).map(\.json), call)
            },
            Operation(
                method: .post, path: Self.path, id: "addTimeOff", access: .key(.ownersWrite),
                summary: "Add days on which an owner hosts nobody. Bookings that stand there stay.", takes: .json(TimeOffRequest.self),
                answers: .json(.created, StoredTimeOff.self)
            ) { call in
                let (request, findings) = try call.read(TimeOffRequest.self)
                return Response.json(
                    .created,
                    try await service.add(
                        request.from, request.to, owner: try await owner(call), known: findings, repeating: try call.repeating))
            },
            Operation(
                method: .delete, path: Self.path + "/{off}", id: "deleteTimeOff", access: .key(.ownersWrite),
                summary: "Take days off back.", answers: .nothing
            ) { call in
                try await service.remove(try call.part("off"), owner: try await owner(call).id)
                return Response(status: .noContent)
            },
        ]
    }

    private func owner(_ call: APICall) async throws -> Owner {
        let id = try call.part("id")
        let owner = try await owners.owner(id)
        guard owner.isActive else { throw UsherError(.notFound, "No active owner is called '\(id.prefix(80))'.") }
        return owner.owner
    }
}

/// The body of `POST /v1/owners/{id}/time-off`.
struct TimeOffRequest: JSONRequest {
    var from: String
    var to: String

    static let schemaName = "TimeOffRequest"
    static let examples: [JSON] = [["from": "2027-12-24", "to": "2027-12-31"]]

    init(_ reader: inout JSONReader) {
        from = reader.required("from", "The first day, in the owner's zone.", [.init("format", "date")])
        to = reader.text("to", "The last day, included; the first where it is not given.", [.init("format", "date")]) ?? ""
    }
}
