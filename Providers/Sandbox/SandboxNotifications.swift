import Synchronization
import UsherCore

/// A promise to tell somebody when a calendar changes, and what is to be sent.
struct SandboxSubscription {
    var id: String
    var resource: String
    var address: String
    var token: String
    var end: Instant
}

extension GoogleSandbox {
    /// What was to be sent to those who are told of changes, and is not sent again.
    public func takeNotifications() -> [HTTPRequest] {
        state.withLock { state in
            defer { state.notifications = [] }
            return state.notifications
        }
    }
    /// How many are told of changes.
    public var listeners: Int { state.withLock { $0.channels.count } }
}

/// Channels of the stand-in for Google.
/// Source: https://developers.google.com/workspace/calendar/api/guides/push
extension GoogleSandbox.State {
    mutating func watch(_ request: SandboxRequest, _ now: Instant) -> HTTPResponse {
        guard request.method == "POST", let body = try? JSON(parsing: request.body), body["type"] == "web_hook",
            let id = body["id"]?.string, id.wholeMatch(of: /[A-Za-z0-9\-_+\/=]{1,64}/) != nil,
            let ttl = body["params"]?["ttl"]?.string.flatMap({ Int64($0) }), let token = body["token"]?.string, token.count <= 256
        else { return GoogleAnswer.error(400, "badRequest", "Bad Request") }
        guard let address = body["address"]?.string, address.hasPrefix("https://") else {
            return GoogleAnswer.error(400, "push.webhookUrlNotHttps", "WebHook callback must be HTTPS")
        }
        guard !channels.contains(where: { $0.id == id }) else {
            return GoogleAnswer.error(400, "channelIdNotUnique", "Channel id \(id) not unique")
        }
        let channel = SandboxSubscription(
            id: id, resource: "res-primary", address: address, token: token, end: now + .seconds(min(ttl, 604_800)))
        channels.append(channel)
        notifications.append(GoogleSandbox.notification(channel, "sync", now))
        return ZoomAnswer.json(
            200,
            [
                "kind": "api#channel", "id": .string(id), "resourceId": .string(channel.resource), "token": .string(token),
                "expiration": .string("\(channel.end.microseconds / 1_000)"),
            ])
    }

    mutating func stop(_ request: SandboxRequest) -> HTTPResponse {
        let body = try? JSON(parsing: request.body)
        guard let index = channels.firstIndex(where: { $0.id == body?["id"]?.string && $0.resource == body?["resourceId"]?.string }) else {
            return GoogleAnswer.error(404, "channelUnknown", "Channel not found")
        }
        channels.remove(at: index)
        return HTTPResponse(status: 204)
    }

    mutating func touch(_ now: Instant) {
        channels.removeAll { $0.end <= now }
        notifications += channels.map { GoogleSandbox.notification($0, "exists", now) }
    }
}

extension GoogleSandbox {
    fileprivate static func notification(_ channel: SandboxSubscription, _ state: String, _ now: Instant) -> HTTPRequest {
        HTTPRequest(
            "POST", channel.address,
            headers: [
                ("X-Goog-Channel-Id", channel.id), ("X-Goog-Channel-Token", channel.token), ("X-Goog-Resource-Id", channel.resource),
                ("X-Goog-Resource-State", state), ("Content-Length", "0"),
            ], body: [], deadline: now + .seconds(10))
    }
}

extension MicrosoftSandbox {
    /// What was to be sent to those who are told of changes, and is not sent again.
    public func takeNotifications() -> [HTTPRequest] {
        state.withLock { state in
            defer { state.notifications = [] }
            return state.notifications
        }
    }
    /// How many are told of changes.
    public var listeners: Int { state.withLock { $0.subscribed.count } }
}

/// Subscriptions of the stand-in for Graph.
/// Source: https://learn.microsoft.com/graph/api/subscription-post-subscriptions
extension MicrosoftSandbox.State {
    private static let longest = Duration.minutes(4_230)

    mutating func subscriptions(_ request: SandboxRequest, _ now: Instant) -> HTTPResponse {
        let scopes = account.scopes.split(separator: " ")
        guard scopes.contains("Calendars.Read") || scopes.contains("Calendars.ReadWrite") else {
            return MicrosoftSandbox.error(403, "ExtensionError", "Access is denied.")
        }
        if request.method == "DELETE", let id = request.path.dropFirst(2).first {
            let count = subscribed.count
            subscribed.removeAll { $0.id == id }
            return subscribed.count < count
                ? HTTPResponse(status: 204) : MicrosoftSandbox.error(404, "ResourceNotFound", "The object was not found.")
        }
        guard request.method == "POST", let body = try? JSON(parsing: request.body), body["resource"] == "/me/events",
            let end = body["expirationDateTime"]?.string.flatMap({ Instant(rfc3339: $0) }), now < end, end <= now + Self.longest,
            let address = body["notificationUrl"]?.string, address.hasPrefix("https://"), let token = body["clientState"]?.string,
            token.count <= 128, body["changeType"]?.string?.isEmpty == false
        else { return MicrosoftSandbox.error(400, "ValidationError", "Subscription validation request failed.") }
        number += 1
        let new = SandboxSubscription(id: "subscription-\(number)", resource: "", address: address, token: token, end: end)
        subscribed.append(new)
        // The service looks whether somebody is there.
        notifications.append(
            HTTPRequest(
                "POST", "\(address)?validationToken=Validation%3a+is+%26+there+\(number)", headers: [("Content-Type", "text/plain")],
                body: [],
                deadline: now + .seconds(10)))
        return ZoomAnswer.json(
            201,
            ["id": .string(new.id), "resource": "/me/events", "expirationDateTime": .string(end.rfc3339), "clientState": .string(token)])
    }

    mutating func touch(_ now: Instant) {
        subscribed.removeAll { $0.end <= now }
        notifications += subscribed.map { one in
            let body: JSON = [
                "value": [
                    [
                        "subscriptionId": .string(one.id), "clientState": .string(one.token), "changeType": "updated",
                        "resource": "Users/x/Events/y",
                    ]
                ]
            ]
            return HTTPRequest(
                "POST", one.address, headers: [("Content-Type", "application/json")], body: Array(body.serialized.utf8),
                deadline: now + .seconds(10))
        }
    }
}
