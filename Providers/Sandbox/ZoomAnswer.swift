import Foundation
import Synchronization
import UsherCore

enum ZoomAnswer {
    static func json(_ status: Int, _ value: JSON) -> HTTPResponse {
        HTTPResponse(status: status, headers: [("Content-Type", "application/json;charset=UTF-8")], body: value.bytes)
    }
    static func error(_ status: Int, code: Int64, _ message: String, headers: [(name: String, value: String)] = []) -> HTTPResponse {
        var response = json(status, ["code": .int(code), "message": .string(message)])
        response.headers += headers
        return response
    }
    static let badClient = json(400, ["reason": "Invalid client_id or client_secret", "error": "invalid_client"])
    static func invalid(_ field: String) -> HTTPResponse {
        json(400, ["code": 300, "message": "Validation Failed.", "errors": [["field": .string(field), "message": "Invalid field."]]])
    }
    /// As captured in https://devforum.zoom.us/t/18928 : no type, no Retry-After.
    static let hostLimit = error(
        429, code: 429,
        "You have exceeded the daily rate limit (100) of Meeting Create/Update API requests permitted for this particular user. You may resume these requests at GMT 00:00:00.",
        headers: [("X-RateLimit-Category", "Light"), ("X-RateLimit-Limit", "6000"), ("X-RateLimit-Remaining", "5893")])
}

extension HTTPResponse {
    func dated(_ now: Instant) -> HTTPResponse {
        var response = self
        let wall = WallTime(now, offsetSeconds: 0)
        let days = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"]
        let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
        let day = days[Int(now.seconds / 86_400 % 7)]
        response.headers.append(
            ("Date", "\(day), \(padded(wall.day, 2)) \(months[Int(wall.month) - 1]) \(wall.year) \(wall.text.suffix(8)) GMT"))
        response.headers.append(("x-zm-trackingid", "v=2.0;clid=sandbox;rid=\(now.microseconds)"))
        return response
    }
}
