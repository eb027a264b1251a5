import UsherStore

/// Who carries out at once what a change has started in its own commit.
package protocol JobStarter: Sendable {
    /// How many pieces of work a queue can take now.
    func freeSlots(_ queue: Queue) -> Int
    /// Whether a queue can take one more piece of work for this provider.
    func hasSlot(_ queue: Queue, service: String) -> Bool
    /// Carries the work out, or puts it back where there is no slot any more.
    func take(_ started: [Work]) async
}
