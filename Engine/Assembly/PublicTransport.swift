import AsyncHTTPClient
import Foundation
import NIOCore
import NIOHTTP1
import NIOPosix
import UsherCore

/// The way to addresses that others have given us: a name is looked up once, every address it has must belong to the public internet,
/// and the connection goes to the one that was looked at, so that no second look-up can lead it into the operator's network.
package struct PublicTransport: Transport {
    private let now: @Sendable () -> Instant
    private let allowsPrivate: Bool
    private let variable: String
    private let bodyLimit: Int

    /// - Parameters:
    ///   - allowsPrivate: for machines in the operator's own network.
    ///   - variable: which configuration says so.
    ///   - bodyLimit: of an answer's body so many bytes are read, and one that has more is no answer; 0 where the head is all that counts.
    package init(now: @escaping @Sendable () -> Instant, allowsPrivate: Bool, variable: String, bodyLimit: Int = 0) {
        self.now = now
        self.allowsPrivate = allowsPrivate
        self.variable = variable
        self.bodyLimit = bodyLimit
    }

    package func send(_ request: UsherCore.HTTPRequest) async throws(TransportError) -> UsherCore.HTTPResponse {
        // Read by the client's own parser: another one may find another host in the same address.
        guard let url = try? HTTPClient.Request(url: request.url) else { throw .notSent("the address cannot be read") }
        let host = url.host.filter { $0 != "[" && $0 != "]" }
        guard url.scheme == "https" || allowsPrivate else { throw .notSent(TransportError.refusal + "it does not begin with https://") }
        let addresses = try await addresses(of: host)
        guard let address = addresses.first else { throw .notSent("\(host) is not known") }
        guard allowsPrivate || addresses.allSatisfy(\.isPublic) else {
            throw .notSent("\(TransportError.refusal)\(host) leads to a private address; \(variable)=true allows those")
        }
        return try await send(request, leading: host, to: address.text)
    }

    /// By a client of its own, because only a client can be told where a name leads. It ends with the answer.
    private func send(
        _ request: UsherCore.HTTPRequest, leading host: String, to address: String
    ) async throws(TransportError) -> UsherCore.HTTPResponse {
        let left = request.deadline - now()
        guard left > .zero else { throw .notSent("no time was left") }
        var configuration = HTTPClient.Configuration(redirectConfiguration: .disallow)
        configuration.dnsOverride = [host: address]
        configuration.timeout.connect = .seconds(10)
        configuration.connectionPool.retryConnectionEstablishment = false
        let client = HTTPClient(eventLoopGroupProvider: .singleton, configuration: configuration)
        var outgoing = HTTPClientRequest(url: request.url)
        outgoing.method = .RAW(value: request.method)
        for header in request.headers { outgoing.headers.add(name: header.name, value: header.value) }
        outgoing.body = .bytes(request.body)
        let result: Result<UsherCore.HTTPResponse, TransportError>
        do {
            let answer = try await client.execute(outgoing, deadline: .now() + .microseconds(left.microseconds))
            let headers = answer.headers.map { (name: $0.name, value: $0.value) }
            let body = bodyLimit > 0 ? Array(try await answer.body.collect(upTo: bodyLimit).readableBytesView) : []
            result = .success(UsherCore.HTTPResponse(status: Int(answer.status.code), headers: headers, body: body))
        } catch { result = .failure(HTTPTransport.meaning(error)) }
        try? await client.shutdown()  // what it had to tell is told
        return try result.get()
    }

    private struct Address: Sendable {
        var text: String
        var isPublic: Bool
    }

    /// The resolver blocks, so it is asked on threads that are there for nothing else.
    private static let lookUps = {
        let pool = NIOThreadPool(numberOfThreads: 8)
        pool.start()
        return pool
    }()

    private func addresses(of host: String) async throws(TransportError) -> [Address] {
        do { return try await Self.lookUps.runIfActive { Self.lookUp(host) } } catch {
            throw .notSent("\(host) could not be looked up: \(error)")
        }
    }

    private static func lookUp(_ host: String) -> [Address] {
        var hints = addrinfo()
        hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        var found: UnsafeMutablePointer<addrinfo>?
        guard getaddrinfo(host, nil, &hints, &found) == 0 else { return [] }
        defer { freeaddrinfo(found) }
        return sequence(first: found) { $0?.pointee.ai_next }.compactMap { $0?.pointee }.compactMap(address)
    }

    private static func address(_ info: addrinfo) -> Address? {
        var text = [CChar](repeating: 0, count: Int(NI_MAXHOST))
        guard let socket = info.ai_addr,
            getnameinfo(socket, info.ai_addrlen, &text, socklen_t(text.count), nil, 0, NI_NUMERICHOST) == 0
        else { return nil }
        let numbers = String(decoding: text.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
        return Address(text: numbers, isPublic: NetworkAddress.bytes(numbers).map(NetworkAddress.isPublic) ?? false)
    }
}
