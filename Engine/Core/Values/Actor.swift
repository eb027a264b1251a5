/// Who does something, for the timeline and the audit: a caller by its key, an owner, a guest by their link, an admin, or Usher itself.
package struct Actor: Hashable, Sendable {
    /// `key:key_…`, `owner:ana`, `guest:0`, `admin:key_…`, `cli`, `system`, `nobody`.
    package var name: String
    /// The network address that it came from; empty where there is none.
    package var address: String

    package init(_ name: String, address: String = "") {
        self.name = name
        self.address = address
    }

    /// Work that follows by itself.
    package static let system = Actor("system")

    /// Who acts in the task at hand; a transaction takes it along.
    @TaskLocal package static var current = Actor.system

    /// Does something in somebody's name, at the address that is known already.
    package static func acting<Result>(_ name: String, _ body: () async throws -> Result) async rethrows -> Result {
        try await $current.withValue(Actor(name, address: current.address), operation: body)
    }

    package var isGuest: Bool { name.hasPrefix("guest:") }
}
