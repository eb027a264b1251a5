import ProviderSupport
import UsherCore

/// Looks whether an app can do what Usher will ask of it, without making anything.
struct ZoomPreflight {
    private let client: ZoomClient
    private let grant: any ZoomGrant
    private let call: ProviderCall

    init(_ call: ProviderCall, _ grant: some ZoomGrant) {
        self.call = call
        self.grant = grant
        client = ZoomClient(call, grant)
    }

    /// What each scope is for. The granular name or the classic one will do.
    /// Source: https://developers.zoom.us/docs/integrations/oauth-scopes-granular/ and https://developers.zoom.us/docs/integrations/oauth-scopes/
    private static let abilities: [(ability: String, granular: String, classic: String)] = [
        ("make meetings", "meeting:write:meeting", "meeting:write"),
        ("read meetings back", "meeting:read:meeting", "meeting:read"),
        ("move meetings", "meeting:update:meeting", "meeting:write"),
        ("cancel meetings", "meeting:delete:meeting", "meeting:write"),
        ("settle a call that got no answer", "meeting:read:list_meetings", "meeting:read"),
        ("check hosts", "user:read:user", "user:read"),
        ("fit passcodes to the account's rules", "user:read:settings", "user:read"),
    ]

    func run(hosts: [String]) async -> Preflight {
        let token: IssuedToken
        do throws(ProviderError) {
            // A token that is stored would prove nothing of the credentials: a new one is asked for.
            token = try await grant.token(call, rejected: try await grant.token(call, rejected: nil))
        } catch {
            return Preflight(problems: [error.problem])
        }
        var problems = token.scopes.isEmpty ? [] : missing(Set(token.scopes))
        var time: Instant?
        for host in hosts {
            do throws(ProviderError) {
                let user = try await client.send("GET", "/users/\(percentEncoded(host))", changes: false)
                time = user.response.header("date").flatMap(httpDate) ?? time
                if let problem = trouble(host, user) { problems.append(problem) }
            } catch {
                if error.code == .missingScope { continue }
                var problem = error.problem
                problem.message = "\(host): \(problem.message)"
                problems.append(problem)
            }
        }
        return Preflight(problems: problems, providerTime: time)
    }

    private func missing(_ granted: Set<String>) -> [Problem] {
        Self.abilities.compactMap { ability, granular, classic in
            let names = [granular, classic].flatMap { [$0, "\($0):admin", "\($0):master", "\($0):user"] }
            guard granted.isDisjoint(with: names) else { return nil }
            return Problem(
                .missingScope, "The Zoom app of '\(call.provider)' cannot \(ability).",
                remedy: "Add the scope \(granular):admin to the app in the Zoom Marketplace.")
        }
    }

    private func trouble(_ host: String, _ user: JSONAnswer) -> Problem? {
        if let status = user["status"]?.string, status != "active" {
            return Problem(
                .hostUnknown, "\(host) is \(status) at Zoom.", remedy: "Have the user accept Zoom's invitation, or activate the account.")
        }
        if user["type"]?.int == 1 {
            return Problem(
                .plan, "\(host) has a Basic account: meetings end after 40 minutes.",
                remedy: "Give the user a licence in Zoom's user management.")
        }
        return nil
    }
}
