import ProviderSupport
import UsherCore

/// Looks whether an app can do what Usher will ask of it, without making anything.
struct ZoomPreflight {
    private let client: ZoomClient
    private var call: ProviderContext { client.call }

    init(_ client: ZoomClient) { self.client = client }

    func run(hosts: [String]) async -> Preflight {
        let token: IssuedToken
        do throws(ProviderError) {
            let stored = try await client.tokens.access(rejected: nil)
            // An account's stored token would prove nothing of the credentials: a new one is asked for. An owner's is not spent on a look.
            token = call.connection == nil ? try await client.tokens.access(rejected: stored) : stored
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
        ZoomAbility.all.filter { granted.isDisjoint(with: $0.scopes) }.map { ability in
            Problem(
                .missingScope, "The Zoom app of '\(call.provider)' cannot \(ability.name).",
                remedy: "Add the scope \(ability.granular)\(call.connection == nil ? ":admin" : "") to the app in the Zoom Marketplace.")
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
