import UsherCore

/// A service's REST API, called with access tokens that may have ended early: where the service answers 401, the token is renewed
/// once, and the call is made again.
///
/// A module says whose tokens they are, where the service is, and what its answers mean.
public protocol AuthorizedClient: Sendable {
    /// As people call the service: `Zoom`.
    static var service: String { get }

    /// The question that is being answered.
    var call: ProviderContext { get }

    /// Where its tokens come from.
    var tokens: any TokenSource { get }

    /// What paths follow, without a slash at its end: `https://api.zoom.us/v2`.
    func base(_ token: IssuedToken) -> String

    /// A path without ids, for messages: `/users/{id}/meetings`.
    static func pattern(_ path: String) -> String

    /// What an answer means that is no success; `nil` for a success.
    func error(_ answer: JSONAnswer, _ operation: String, changes: Bool) -> ProviderError?
}

extension AuthorizedClient {
    /// Sends JSON and reads JSON.
    /// - Parameters:
    ///   - path: what follows ``base(_:)``, with every part percent-encoded.
    ///   - changes: whether the call changes something, so that one without an answer is unclear.
    public func send(_ method: String, _ path: String, body: JSON? = nil, changes: Bool) async throws(ProviderError) -> JSONAnswer {
        let operation = "\(method) \(Self.pattern(path))"
        func answer(_ token: IssuedToken) async throws(ProviderError) -> JSONAnswer {
            do throws(TransportError) {
                return try await call.exchange(
                    method, base(token) + path, headers: [("Authorization", "Bearer \(token.access.reveal())")], body: body)
            } catch { throw .unreachable(Self.service, error, operation: operation, changes: changes) }
        }
        let token = try await tokens.access(rejected: nil)
        var last = try await answer(token)
        if last.status == 401 { last = try await answer(try await tokens.access(rejected: token)) }
        if let error = error(last, operation, changes: changes) { throw error }
        return last
    }

    /// All items of a list that comes in pages, or an error: a part of it would pass for the whole.
    /// - Parameters:
    ///   - path: with a query, to which the page is added.
    ///   - items: the member that holds a page's items.
    ///   - next: the member that names the page to come; missing or empty on the last one.
    ///   - parameter: by which that page is asked for.
    public func list(_ path: String, items: String, next: String, parameter: String) async throws(ProviderError) -> [JSON] {
        func broken(_ what: String) -> ProviderError {
            ProviderError(
                .unavailable, retry: .backoff, "\(Self.service)'s list \(what).", remedy: ProviderError.triedAgain,
                operation: "GET \(Self.pattern(path))")
        }
        var all: [JSON] = []
        var page = ""
        repeat {
            let query = page.isEmpty ? "" : "&\(parameter)=\(percentEncoded(page))"
            let answer = try await send("GET", path + query, changes: false)
            guard let found = answer[items]?.array else { throw broken("cannot be read") }
            all += found
            let following = answer[next]?.string ?? ""
            guard following != page || following.isEmpty else { throw broken("does not come to an end") }
            page = following
        } while !page.isEmpty
        return all
    }
}

extension ProviderContext {
    /// The owner's connection.
    /// - Throws: ``ErrorCode/notConnected`` where there is none.
    public func connected(_ service: String) throws(ProviderError) -> any Connection {
        guard let connection else {
            throw ProviderError(
                .notConnected, retry: .never, "\(service) is not connected.",
                remedy: "Connect \(service) on the owner's page; what waits then resumes by itself.")
        }
        return connection
    }

    /// The owner's connection, where `host` is its account: a room belongs to the account that made it, and is out of reach with
    /// another one connected.
    /// - Throws: ``ErrorCode/notConnected`` where there is no connection, or that of another account.
    public func connected(_ service: String, host: String) throws(ProviderError) -> any Connection {
        let connection = try connected(service)
        guard host == connection.account.id else {
            throw ProviderError(
                .notConnected, retry: .never,
                "This meeting is held by another \(service) account than the one that is connected now, \(connection.account.email).",
                remedy: "Connect the account that made it again, or make a new booking.")
        }
        return connection
    }
}
