import UsherCore
import UsherMail
import UsherPipeline

/// Why a consent did not come about, and what to do next, in the language of whoever comes back from the service.
struct RefusalWords {
    private let words: OwnerWords
    private let service: String
    /// Where the service's administrators approve apps.
    private let approval: String?

    init(_ words: OwnerWords, _ service: String, approval: String?) {
        (self.words, self.service, self.approval) = (words, service, approval)
    }

    func of(_ refusal: Consents.Refusal) -> (title: String, lines: [String]) {
        switch refusal {
        case .unknownState: (say(.unknownState), [say(.unknownStateText), say(.again)])
        case .expired: (say(.expired), [say(.expiredText), say(.again)])
        case .alreadyUsed: (say(.alreadyUsed), [say(.alreadyUsedText), say(.again)])
        case .otherBrowser: (say(.otherBrowser), [say(.otherBrowserText), say(.again)])
        case .signedOut: (say(.signedOut), [say(.signedOutText)])
        case .declined(let code, let description): declined(code, description)
        case .noCode: (say(.didNotAgree), [say(.noCodeText)] + request + [say(.again)])
        case .missing(let abilities):
            (
                say(.missing),
                [
                    say(
                        .missingText,
                        [
                            "abilities": abilities.map(\.name).joined(separator: words.page.comma),
                            "scopes": abilities.compactMap(\.scopes.first).joined(separator: ", "),
                        ])
                ]
            )
        case .failed(let error):
            (say(.notConnected), words.lines(error.problem, service: service) + [say(.again)])
        }
    }

    private func say(_ key: OwnerWords.ConsentKey, _ more: [String: String] = [:]) -> String {
        words.consent(key, more.merging(["service": service]) { own, _ in own })
    }

    /// Source of the codes: RFC 6749 §4.1.2.1 and https://developers.google.com/identity/protocols/oauth2/web-server
    private func declined(_ code: String, _ description: String) -> (String, [String]) {
        let said = say(.says, ["text": "\(code) \(description)"])
        switch code {
        case "access_denied": return (say(.declined), [say(.declinedText), say(.again)])
        case "admin_policy_enforced", "org_internal", "unauthorized_client":
            return (say(.mustAllow), [say(.mustAllowText)] + request + [say(.again)])
        case "redirect_uri_mismatch", "invalid_request", "deleted_client": return (say(.notSetUp), [said, say(.notSetUpText)])
        default: return (say(.didNotAgree), [said, say(.again)])
        }
    }

    /// What an administrator is asked for.
    private var request: [String] {
        [say(.sendThis), say(.approve, ["place": approval.map { " (\($0))" } ?? ""]), say(.unpublished)]
    }
}
