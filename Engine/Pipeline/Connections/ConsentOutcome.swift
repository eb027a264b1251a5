import UsherCore
import UsherStore

extension Consents {
    /// How a consent ended, or what is still to be asked.
    package enum Outcome: Sendable {
        case connected(StoredConnection, returnTo: String)
        /// The owner had connected another account before, or the account's address is not the owner's.
        /// - Parameter from: the account that was connected before; empty where there was none, and `to` is not the owner's address.
        case asks(id: String, owner: String, from: String, to: String, service: String)
        case refused(Refusal, owner: String?, service: String)
    }

    /// Why a consent ended without a connection.
    package enum Refusal: Sendable {
        case unknownState
        case expired
        case alreadyUsed
        case otherBrowser
        /// It was begun on the owner's page, and nobody is signed in there now.
        case signedOut
        /// `error` of the service, and its description.
        case declined(String, String)
        case noCode
        /// What the owner left out, or the app does not have.
        case missing([ConsentDescriptor.Ability])
        case failed(ProviderError)

        /// In the audit.
        package var name: String {
            switch self {
            case .unknownState: "consent.unknown"
            case .expired: "consent.expired"
            case .alreadyUsed: "consent.used"
            case .otherBrowser: "consent.other-browser"
            case .signedOut: "consent.signed-out"
            case .declined: "consent.declined"
            case .noCode: "consent.no-code"
            case .missing: "consent.permission-missing"
            case .failed(let error): error.code.rawValue
            }
        }
    }
}
