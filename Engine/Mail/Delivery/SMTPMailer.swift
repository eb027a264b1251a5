import Foundation
import Synchronization
import UsherCore

/// Hands mail to a relay by SMTP, through libcurl. Its calls block, so each of a few threads has a handle of its own, whose
/// connection is used again.
package final class SMTPMailer: Mailer {
    private let queue = MailQueue()
    private let token: TokenSource?

    /// No delivery is begun with less time than this.
    private static let shortestDelivery = Duration.seconds(5)

    /// The access token that signs in, from whoever keeps it.
    ///
    /// `rejected`: the one that the relay has just refused.
    package typealias TokenSource = @Sendable (_ rejected: IssuedToken?) async throws(ProviderError) -> IssuedToken

    /// Exchange takes few connections to one mailbox at the same time.
    private static let connectionsWithToken = 2

    /// - Parameters:
    ///   - connections: threads, and so connections at the same time; by default four, or two where a token signs in.
    ///   - token: where the relay's address says `auth=`.
    package init(_ address: SMTPAddress, connections: Int? = nil, token: TokenSource? = nil) {
        self.token = token
        let connections = connections ?? (token == nil ? 4 : Self.connectionsWithToken)
        for index in 0..<connections {
            let thread = Thread { [queue] in
                let session = SMTPSession(address)
                while let job = queue.next() {
                    // One that has waited long is better begun anew.
                    let left = job.end - ContinuousClock.now
                    job.finish(
                        left < Self.shortestDelivery
                            ? .init(outcome: .later("all connections to the relay are busy"))
                            : session.deliver(job.mail, token: job.token, within: left))
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
        let end = ContinuousClock.now + limit
        guard let token else { return await handOver(mail, token: nil, until: end).outcome }
        do throws(ProviderError) {
            let present = try await token(nil)
            let first = await handOver(mail, token: present.access, until: end)
            guard first.isTokenRefused else { return first.outcome }
            // It may have been revoked before its time: one more, and no third.
            let fresh = try await token(present)
            return await handOver(mail, token: fresh.access, until: end).outcome
        } catch { return .later("no access token for the relay: \(error.message)") }
    }

    private func handOver(_ mail: OutgoingMail, token: Secret?, until end: ContinuousClock.Instant) async -> SMTPSession.Result {
        await withCheckedContinuation { continuation in
            queue.add(MailJob(mail: mail, token: token, end: end) { continuation.resume(returning: $0) })
        }
    }

    /// Connects, negotiates TLS and signs in, as a delivery would, and sends nothing.
    /// - Returns: what is wrong, or `nil`.
    package static func probe(_ address: SMTPAddress, token: TokenSource? = nil) async -> String? {
        let access: Secret?
        do throws(ProviderError) { access = try await token?(nil).access } catch {
            return "no access token for the relay: \(error.message) \(error.remedy)"
        }
        return await withCheckedContinuation { continuation in
            let thread = Thread { continuation.resume(returning: SMTPSession(address).probe(token: access)) }
            thread.start()
        }
    }
}

private struct MailJob: Sendable {
    var mail: OutgoingMail
    var token: Secret?
    var end: ContinuousClock.Instant
    var finish: @Sendable (SMTPSession.Result) -> Void
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
