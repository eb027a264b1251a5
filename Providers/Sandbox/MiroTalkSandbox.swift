import Synchronization
import UsherCore

/// A stand-in for MiroTalk's API: it knows its key and makes addresses.
/// Source: https://github.com/miroslavpejic85/mirotalksfu/blob/main/app/api/README.md
public final class MiroTalkSandbox: Sendable {
    private let key: String
    private let made = Mutex(0)

    /// - Parameter key: the API's key; any other is refused.
    public init(key: String = "sandbox-mirotalk-key") { self.key = key }

    /// Answers one request.
    public func handle(_ method: String, _ path: String, headers: [(name: String, value: String)]) -> HTTPResponse {
        let given = headers.first { $0.name.lowercased() == "authorization" }?.value
        guard given == key else { return ZoomAnswer.json(403, ["error": "Unauthorized!"]) }
        guard method == "POST", path == "/api/v1/meeting" else { return ZoomAnswer.json(404, ["error": "Not found"]) }
        let number = made.withLock { count in
            count += 1
            return count
        }
        return ZoomAnswer.json(200, ["meeting": .string("https://mirotalk.sandbox/join/room-\(number)")])
    }
}
