import Foundation
import UsherCore
import UsherMail

/// The way that mail leaves.
extension Doctor {
    /// - Parameter runtime: keeps access tokens; `nil` while they cannot be asked for.
    func mail(_ runtime: Runtime?) async -> [Finding] {
        switch configuration.mail {
        case .maildir(let folder):
            guard runtime == nil else { return [] }
            if FileManager.default.fileExists(atPath: folder) {
                do throws(UsherError) { _ = try Maildir(folder: folder) } catch {
                    return [.wrong("mail", error.message, "Or set SMTP_URL.")]
                }
            }
            return [.fine("mail", "SMTP_URL is not set: mail is written to \(folder)/new")]
        case .smtp(let relays):
            var findings: [Finding] = []
            for relay in relays where (relay.authorization != nil) == (runtime != nil) { findings.append(await look(relay, runtime)) }
            return findings
        }
    }

    /// Senders that no relay is for: their mail would wait for ever.
    func unsent(_ catalog: Catalog) -> [Finding] {
        guard case .smtp(let relays) = configuration.mail, relays.allSatisfy({ !$0.senders.isEmpty }) else { return [] }
        let senders = [catalog.site.from] + catalog.meetingTypes.compactMap(\.from)
        let known = Set(relays.flatMap(\.senders))
        return Set(senders.map { $0.domain.lowercased() }).subtracting(known).sorted().map {
            .wrong("mail", "no relay is for mail from \($0)", "Add from=\($0) to a relay of SMTP_URL, or leave from= out at one.")
        }
    }

    private func look(_ relay: SMTPAddress, _ runtime: Runtime?) async -> Finding {
        let token = runtime.flatMap { MailTokens(relay, configuration, $0.context)?.source }
        if let trouble = await SMTPMailer.probe(relay, token: token) {
            return .wrong("mail", trouble, "Check \(token == nil ? "SMTP_URL" : "SMTP_URL and the chapter Mail"); nothing was sent.")
        }
        let tls = relay.security == .none ? ", without TLS" : " with TLS"
        let signIn = relay.user == nil ? "" : ", and lets us sign in\(token == nil ? "" : " by a token")"
        let senders = relay.senders.isEmpty ? "" : "; for \(relay.senders.joined(separator: ", "))"
        return .fine("mail", "\(relay.host):\(relay.port) takes connections\(tls)\(signIn)\(senders)")
    }
}
