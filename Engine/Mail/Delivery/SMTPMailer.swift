import Foundation
import Synchronization
import UsherCore

/// Hands mail to a relay by SMTP, through libcurl. Its calls block, so each of a few threads has a handle of its own, whose
/// connection is used again.
package final class SMTPMailer: Mailer {
    private let queue = MailQueue()

    /// No delivery is begun with less time than this.
    private static let shortestDelivery = Duration.seconds(5)

    /// - Parameter connections: threads, and so connections at the same time.
    package init(_ address: SMTPAddress, connections: Int = 4) {
        for index in 0..<connections {
            let thread = Thread { [queue] in
                let session = SMTPSession(address)
                while let job = queue.next() {
                    // One that has waited long is better begun anew.
                    let left = job.end - ContinuousClock.now
                    job.finish(
                        left < Self.shortestDelivery
                            ? .later("all connections to the relay are busy") : session.deliver(job.mail, within: left))
                }
            }
            thread.name = "smtp-\(index)"
            thread.start()
        }
    }

    deinit { queue.close() }

    package func deliver(_ mail: OutgoingMail, within limit: Duration) async -> DeliveryOutcome {
        guard isMailAddress(mail.recipient), isMailAddress(mail.sender) else {
            return .refused("'\(mail.recipient)' is not a mail address")
        }
        return await withCheckedContinuation { continuation in
            queue.add(MailJob(mail: mail, end: .now + limit) { continuation.resume(returning: $0) })
        }
    }

    /// Connects, negotiates TLS and signs in, as a delivery would, and sends nothing.
    /// - Returns: what is wrong, or `nil`.
    package static func probe(_ address: SMTPAddress) async -> String? {
        await withCheckedContinuation { continuation in
            let thread = Thread { continuation.resume(returning: SMTPSession(address).probe()) }
            thread.start()
        }
    }
}

private struct MailJob: Sendable {
    var mail: OutgoingMail
    var end: ContinuousClock.Instant
    var finish: @Sendable (DeliveryOutcome) -> Void
}

/// Mails that wait for a thread.
private final class MailQueue: Sendable {
    private let condition = NSCondition()
    private nonisolated(unsafe) var jobs: [MailJob] = []
    private nonisolated(unsafe) var isClosed = false

    func add(_ job: MailJob) {
        condition.lock()
        jobs.append(job)
        condition.signal()
        condition.unlock()
    }

    /// Blocks until there is one; `nil` once the queue is closed and empty.
    func next() -> MailJob? {
        condition.lock()
        defer { condition.unlock() }
        while jobs.isEmpty {
            if isClosed { return nil }
            condition.wait()
        }
        return jobs.removeFirst()
    }

    func close() {
        condition.lock()
        isClosed = true
        condition.broadcast()
        condition.unlock()
    }
}
