/// Sends one HTTP request to a provider. It never follows a redirect: a `POST` that turns into a `GET` would look like success.
public protocol Transport: Sendable {
    /// - Throws: ``TransportError/notSent(_:)`` only when no byte of the request can have reached the server.
    func send(_ request: HTTPRequest) async throws(TransportError) -> HTTPResponse
}

/// A request, whole.
public struct HTTPRequest: Sendable {
    /// In capitals: `POST`.
    public var method: String
    /// Absolute, with its query.
    public var url: String
    /// In the order in which they are sent.
    public var headers: [(name: String, value: String)]
    /// Empty for none.
    public var body: [UInt8]
    /// After this instant the request is abandoned, answered or not.
    public var deadline: Instant

    /// Takes each property as it is.
    public init(
        _ method: String, _ url: String, headers: [(name: String, value: String)] = [], body: [UInt8] = [], deadline: Instant
    ) {
        self.method = method
        self.url = url
        self.headers = headers
        self.body = body
        self.deadline = deadline
    }
}

/// An answer that came whole.
public struct HTTPResponse: Sendable {
    /// The three digits of the status line.
    public var status: Int
    /// In the order in which they came.
    public var headers: [(name: String, value: String)]
    /// As it came, decoded from its transfer coding.
    public var body: [UInt8]

    /// Takes each property as it is.
    public init(status: Int, headers: [(name: String, value: String)] = [], body: [UInt8] = []) {
        self.status = status
        self.headers = headers
        self.body = body
    }

    /// The first header of that name, whatever its case.
    public func header(_ name: String) -> String? {
        headers.first { $0.name.lowercased() == name.lowercased() }?.value
    }
}

/// Why there is no answer.
public enum TransportError: Error, Hashable, Sendable {
    /// No connection, or no TLS: the server has seen nothing.
    case notSent(String)
    /// Sent, in part at least, and no answer that can be read: the server may have done what was asked.
    case unclear(String)

    /// What reasons begin with where it is we who do not call such an address, and calling again would change nothing.
    public static let refusal = "not called from here: "

    /// What happened, for the log.
    public var reason: String {
        switch self {
        case .notSent(let reason), .unclear(let reason): reason
        }
    }
}
