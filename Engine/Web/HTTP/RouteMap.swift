import HTTPTypes
import Hummingbird
import Synchronization

/// Which methods an address takes, for the answer to those that it does not.
final class RouteMap: Sendable {
    private let routes = Mutex<[(path: [Substring], method: HTTPTypes.HTTPRequest.Method)]>([])

    /// Called once all routes stand.
    func learn(_ router: Router<WebContext>) {
        let all = router.routes.map { (path: Self.parts("\($0.path)"), method: $0.method) }
        routes.withLock { $0 = all }
    }

    /// The methods of an address, `GET, POST`; `nil` where there is nothing at all.
    func methods(of path: String) -> String? {
        let parts = Self.parts(path)
        let found = routes.withLock { $0.filter { Self.fits(parts, $0.path) }.map(\.method.rawValue) }
        return found.isEmpty ? nil : Set(found).sorted().joined(separator: ", ")
    }

    private static func parts(_ path: String) -> [Substring] { path.split(separator: "/") }

    private static func fits(_ parts: [Substring], _ pattern: [Substring]) -> Bool {
        parts.count == pattern.count && zip(parts, pattern).allSatisfy { $1.hasPrefix("{") || $1.hasPrefix(":") || $0 == $1 }
    }
}
