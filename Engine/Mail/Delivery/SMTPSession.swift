import Foundation
import UsherCore

/// Hands mails to one relay, one after the other, over a connection that is kept; used by one thread.
final class SMTPSession {
    private let address: SMTPAddress
    private var connection: SMTPConnection?
    private var lastUse = ContinuousClock.now

    private static let longestDelivery = Duration.seconds(30)
    /// Relays close connections that nobody uses for some minutes.
    private static let longestIdle = Duration.seconds(60)

    init(_ address: SMTPAddress) { self.address = address }

    /// What became of a mail, and whether the token was why.
    struct Result {
        var outcome: DeliveryOutcome
        var isTokenRefused = false
    }

    /// - Parameters:
    ///   - token: signs a new connection in.
    ///   - limit: for all of it, the connection included.
    func deliver(_ mail: OutgoingMail, token: Secret? = nil, within limit: Duration) -> Result {
        let deadline = ContinuousClock.now + min(limit, Self.longestDelivery)
        if lastUse.duration(to: .now) > Self.longestIdle { connection = nil }
        defer { lastUse = .now }
        let wasOpen = connection != nil
        let outcome = attempt(mail, token, until: deadline)
        // A connection that was kept may have been closed by the relay meanwhile: nothing was sent, and a new one is made.
        guard wasOpen, case .notBegun = outcome else { return outcome.told }
        return attempt(mail, token, until: deadline).told
    }

    /// Connects, negotiates TLS and signs in, as a delivery would.
    /// - Returns: what is wrong, or `nil`.
    func probe(token: Secret? = nil) -> String? {
        do throws(SMTPFailure) { _ = try SMTPConnection(address, token: token, within: Self.longestDelivery) } catch { return error.reason }
        return nil
    }

    // MARK: One attempt

    private enum Attempt {
        /// The relay has said nothing about this mail.
        case notBegun(SMTPFailure)
        case ended(DeliveryOutcome)

        var told: Result {
            switch self {
            case .notBegun(let failure): Result(outcome: .later(failure.reason), isTokenRefused: failure.isTokenRefused)
            case .ended(let outcome): Result(outcome: outcome)
            }
        }
    }

    private func attempt(_ mail: OutgoingMail, _ token: Secret?, until deadline: ContinuousClock.Instant) -> Attempt {
        let connection: SMTPConnection
        do throws(SMTPFailure) {
            connection = if let kept = self.connection { kept } else { try SMTPConnection(address, token: token, within: deadline - .now) }
        } catch { return .notBegun(error) }
        // Kept only after a dialogue that both sides know the end of.
        self.connection = nil
        let envelope: [SMTPReply]
        do throws(SMTPFailure) {
            envelope = try self.envelope(mail, connection, until: deadline)
        } catch { return .notBegun(error) }
        if let refused = refusal(envelope) {
            // 421: the relay closes the connection, whatever was asked.
            if envelope.first?.code == 421 { return .notBegun(SMTPFailure(refused.reason)) }
            if !envelope.contains(where: { $0.code == 354 }), reset(connection, until: deadline) { self.connection = connection }
            return .ended(refused)
        }
        do throws(SMTPFailure) {
            try connection.send(Self.stuffed(mail.bytes), until: deadline)
            let reply = try connection.reply(until: deadline)
            self.connection = connection
            return .ended(Self.outcome(reply))
        } catch {
            // The relay may have it all.
            return .ended(.unclear(error.reason))
        }
    }

    /// Says who sends what to whom, together where the relay takes that.
    /// - Returns: the replies, up to the first refusal where they are said one by one.
    private func envelope(
        _ mail: OutgoingMail, _ connection: SMTPConnection, until deadline: ContinuousClock.Instant
    ) throws(SMTPFailure) -> [SMTPReply] {
        let isASCII = (mail.sender + mail.recipient).utf8.allSatisfy { $0 < 128 }
        let commands = [
            "MAIL FROM:<\(mail.sender)>\(isASCII || !connection.takesUTF8 ? "" : " SMTPUTF8")\r\n", "RCPT TO:<\(mail.recipient)>\r\n",
            "DATA\r\n",
        ]
        if connection.isPipelined { try connection.send(Array(commands.joined().utf8), until: deadline) }
        var replies: [SMTPReply] = []
        for command in commands {
            if !connection.isPipelined { try connection.send(Array(command.utf8), until: deadline) }
            replies.append(try connection.reply(until: deadline))
            if !connection.isPipelined, refusal(replies) != nil { break }
        }
        return replies
    }

    /// Why the relay takes no mail after these replies; `nil` where it does, or goes on to the next command.
    private func refusal(_ replies: [SMTPReply]) -> DeliveryOutcome? {
        for (index, (reply, command)) in zip(replies, ["MAIL", "RCPT", "DATA"]).enumerated() {
            if command == "DATA" ? reply.code == 354 : (200..<300).contains(reply.code) { continue }
            let reason = "\(command) failed: \(reply.line)"
            // Before the sender was taken a refusal is about us: the admin mends the relay or SMTP_URL, and the mail goes out after all.
            return index > 0 && reply.code >= 500 ? .refused(reason) : .later(reason)
        }
        return nil
    }

    private func reset(_ connection: SMTPConnection, until deadline: ContinuousClock.Instant) -> Bool {
        do throws(SMTPFailure) {
            try connection.send(Array("RSET\r\n".utf8), until: deadline)
            return try connection.reply(until: deadline).code == 250
        } catch { return false }
    }

    private static func outcome(_ reply: SMTPReply) -> DeliveryOutcome {
        switch reply.code {
        case 200..<300: .accepted
        case 500...: .refused("the relay does not take the mail: \(reply.line)")
        default: .later("the relay does not take the mail now: \(reply.line)")
        }
    }

    /// The mail as it travels: a line that begins with a dot gets another, and a dot alone ends it.
    /// Source: https://www.rfc-editor.org/rfc/rfc5321#section-4.5.2
    private static func stuffed(_ bytes: [UInt8]) -> [UInt8] {
        var out: [UInt8] = []
        out.reserveCapacity(bytes.count + 64)
        var begins = true
        for byte in bytes {
            if begins, byte == UInt8(ascii: ".") { out.append(byte) }
            out.append(byte)
            begins = byte == UInt8(ascii: "\n")
        }
        return out + Array((begins ? ".\r\n" : "\r\n.\r\n").utf8)
    }
}
