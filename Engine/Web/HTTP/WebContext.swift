import Hummingbird
import NIOCore
import UsherCore

/// A request on its way, with the network address of the other side.
struct WebContext: RequestContext {
    var coreContext: CoreRequestContextStorage
    /// Of the connection: a proxy's, where one is in front.
    let peer: String

    init(source: ApplicationRequestContextSource) {
        coreContext = CoreRequestContextStorage(source: source)
        peer = NetworkAddress.plain(source.channel.remoteAddress?.ipAddress ?? "")
    }
}

/// Whose word about the caller's address counts: `USHER_TRUSTED_PROXIES`.
package struct TrustedProxies: Sendable {
    private let networks: [(bytes: [UInt8], bits: Int)]

    package static let none = TrustedProxies()
    private init() { networks = [] }

    /// - Parameter text: addresses and networks, `10.0.0.1, 10.1.0.0/16, fd00::/8`.
    package init?(_ text: String) {
        var networks: [(bytes: [UInt8], bits: Int)] = []
        for part in text.split(separator: ",").map(\.trimmingBlanks) {
            let pieces = part.split(separator: "/", maxSplits: 1).map(String.init)
            guard let first = pieces.first, let bytes = NetworkAddress.bytes(first) else { return nil }
            let bits = pieces.count > 1 ? Int(pieces[1]) : bytes.count * 8
            guard let bits, (0...bytes.count * 8).contains(bits) else { return nil }
            networks.append((bytes, bits))
        }
        self.networks = networks
    }

    func contains(_ address: String) -> Bool {
        guard let bytes = NetworkAddress.bytes(address) else { return false }
        return networks.contains { network in
            network.bytes.count == bytes.count
                && (0..<network.bits).allSatisfy { bit in
                    (network.bytes[bit / 8] ^ bytes[bit / 8]) & (0x80 >> UInt8(bit % 8)) == 0
                }
        }
    }

    /// The caller's address: the last one of `X-Forwarded-For` that no trusted proxy has, where the connection is a trusted proxy's.
    func caller(_ request: Request, _ context: WebContext) -> String {
        guard contains(context.peer) else { return context.peer }
        // A proxy adds to the end, in the same line or in one of its own; what stands before is the caller's own word.
        let hops = request.headers.filter { $0.name.canonicalName == "x-forwarded-for" }.flatMap { $0.value.split(separator: ",") }
            .map { NetworkAddress.plain($0.trimmingBlanks) }
        guard let hop = hops.last(where: { !contains($0) }), NetworkAddress.bytes(hop) != nil else { return context.peer }
        return hop
    }

    /// What is counted together: an IPv4 address, or the network of one customer in IPv6.
    static func group(_ address: String) -> String {
        guard let bytes = NetworkAddress.bytes(address), bytes.count == 16 else { return address }
        return bytes.prefix(8).map { String($0, radix: 16) }.joined(separator: ":") + "::/64"
    }
}
