import AsyncHTTPClient
import Foundation
import NIOCore
import NIOHTTP1
import NIOPosix
import NIOSSL
import UsherCore

/// Requests to providers over AsyncHTTPClient: connections are used again, redirects are not followed.
package struct HTTPTransport: Transport {
    private let client: HTTPClient
    private let now: @Sendable () -> Instant

    /// No answer of a provider is larger.
    private static let bodyLimit = 8 * 1_048_576

    package init(now: @escaping @Sendable () -> Instant) {
        var configuration = HTTPClient.Configuration(redirectConfiguration: .disallow)
        configuration.timeout.connect = .seconds(10)
        configuration.connectionPool.retryConnectionEstablishment = false
        configuration.connectionPool.concurrentHTTP1ConnectionsPerHostSoftLimit = 32
        // Nobody traces here, and looking for a tracer at every call is not free.
        configuration.tracing.tracer = nil
        client = HTTPClient(eventLoopGroupProvider: .singleton, configuration: configuration)
        self.now = now
    }

    package func shutdown() async throws { try await client.shutdown() }

    package func send(_ request: UsherCore.HTTPRequest) async throws(TransportError) -> UsherCore.HTTPResponse {
        let left = request.deadline - now()
        guard left > .zero else { throw .notSent("no time was left") }
        do {
            var outgoing = try HTTPClient.Request(url: request.url, method: .RAW(value: request.method))
            for header in request.headers { outgoing.headers.add(name: header.name, value: header.value) }
            if !request.body.isEmpty { outgoing.body = .bytes(request.body) }
            // The deadline holds for the whole answer, its body too.
            let answer = try await client.execute(
                request: outgoing, delegate: ResponseAccumulator(request: outgoing, maxBodySize: Self.bodyLimit),
                deadline: .now() + .microseconds(left.microseconds)
            ).futureResult.get()
            return UsherCore.HTTPResponse(
                status: Int(answer.status.code), headers: answer.headers.map { (name: $0.name, value: $0.value) },
                body: answer.body.map { Array($0.readableBytesView) } ?? [])
        } catch { throw Self.meaning(error) }
    }

    /// Only what happens before a connection stands is certain not to have reached the server.
    static func meaning(_ error: any Error) -> TransportError {
        if let error = error as? TransportError { return error }
        // Only what goes wrong while TLS is being agreed on; the others come on connections that stood.
        if let error = error as? NIOSSLError {
            switch error {
            case .handshakeFailed, .noCertificateToValidate, .unableToValidateCertificate, .cannotFindPeerIP, .failedToLoadCertificate,
                .failedToLoadPrivateKey, .noSuchFilesystemObject:
                return .notSent("\(error)")
            default: return .unclear("\(error)")
            }
        }
        if let error = error as? NIOConnectionError {
            let reasons = error.connectionErrors.map {
                ($0.error as? IOError).map { String(cString: strerror($0.errnoCode)) } ?? "\($0.error)"
            }
            return .notSent(reasons.first ?? "\(error.host) is not known")
        }
        if let error = error as? IOError, error.errnoCode == ECONNREFUSED { return .notSent("Connection refused") }
        if let error = error as? HTTPClientError {
            switch error {
            case .connectTimeout, .invalidURL, .emptyHost, .emptyScheme, .tlsHandshakeTimeout, .getConnectionFromPoolTimeout:
                return .notSent("\(error)")
            default: return .unclear("\(error)")
            }
        }
        return .unclear("\(error)")
    }
}
