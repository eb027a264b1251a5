import AsyncHTTPClient
import Foundation
import NIOPosix
import UsherCore

/// The way to addresses that others have given us: a name is looked up once, every address it has must belong to the public internet,
/// and the connection goes to the one that was looked at, so that no second look-up can lead it into the house.
package struct PublicTransport: Transport {
    private let now: @Sendable () -> Instant
    private let allowsPrivate: Bool

    /// - Parameter allowsPrivate: for receivers in the same house.
    package init(now: @escaping @Sendable () -> Instant, allowsPrivate: Bool) {
        self.now = now
        self.allowsPrivate = allowsPrivate
    }

    package func send(_ request: UsherCore.HTTPRequest) async throws(TransportError) -> UsherCore.HTTPResponse {
        guard let url = URLComponents(string: request.url), let host = url.host?.filter({ $0 != "[" && $0 != "]" }) else {
            throw .notSent("the address cannot be read")
        }
        guard url.scheme == "https" || allowsPrivate else { throw .notSent("the address does not begin with https://") }
        let addresses = try await addresses(of: host)
        guard let address = addresses.first else { throw .notSent("\(host) is not known") }
        guard allowsPrivate || addresses.allSatisfy(\.isPublic) else {
            throw .notSent("\(host) leads to a private address; USHER_WEBHOOK_ALLOW_PRIVATE=true allows those")
        }
        // A client of its own, because only a client can be told where a name leads.
        let transport = HTTPTransport(now: now, pinning: [host: address.text])
        let result: Result<UsherCore.HTTPResponse, TransportError>
        do { result = .success(try await transport.send(request)) } catch { result = .failure(error) }
        try? await transport.shutdown()  // what it had to tell is told
        return try result.get()
    }

    private struct Address: Sendable {
        var text: String
        var isPublic: Bool
    }

    /// The resolver blocks, so it is asked on a thread for such things.
    private func addresses(of host: String) async throws(TransportError) -> [Address] {
        do { return try await NIOThreadPool.singleton.runIfActive { Self.lookUp(host) } } catch {
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
