import ProviderTesting
import UsherCore

/// The service behind the module Reception, as its documentation describes it.
enum StandInReception {
    static let key = "reception-key"

    static func service() -> StandInService<[JSON]> {
        StandInService([JSON]()) { rooms, request in
            guard request.headers.contains(where: { $0.name == "Authorization" && $0.value == "Bearer \(key)" }) else {
                return HTTPResponse(status: 401)
            }
            let body = (try? JSON(parsing: request.body)) ?? .null
            let path = request.pathParts
            let index = path.count > 1 ? rooms.firstIndex { $0["id"]?.string == path[1] } : nil
            switch (request.method, index) {
            case ("POST", nil) where path == ["rooms"]:
                let id = "room-\(rooms.count + 1)"
                var room = body.members ?? []
                room += [.init("id", .string(id)), .init("link", .string("https://reception.example/join/\(id)"))]
                rooms.append(.object(room))
                return .json(201, .object(room))
            case ("GET", nil) where path == ["rooms"]:
                let wanted = request.query["reference"]
                return .json(200, .array(rooms.filter { wanted == nil || $0["reference"]?.string == wanted }))
            case ("GET", let index?): return .json(200, rooms[index])
            case ("PATCH", let index?):
                let kept = (rooms[index].members ?? []).filter { body[$0.key] == nil }
                rooms[index] = .object(kept + (body.members ?? []))
                return .json(200, rooms[index])
            case ("DELETE", let index?):
                rooms.remove(at: index)
                return HTTPResponse(status: 204)
            default: return .json(404, ["error": "There is no such room."])
            }
        }
    }
}
