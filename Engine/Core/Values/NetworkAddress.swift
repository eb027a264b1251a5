import Foundation

/// Whether an address on the network belongs to the public internet: everything else could be a machine of the operator's own network.
/// Source: the registries https://www.iana.org/assignments/iana-ipv4-special-registry and …/iana-ipv6-special-registry
public enum NetworkAddress {
    /// - Parameter bytes: 4 of IPv4 or 16 of IPv6, in network order.
    public static func isPublic(_ bytes: [UInt8]) -> Bool {
        switch bytes.count {
        case 4: isPublicV4(bytes)
        case 16: isPublicV6(bytes)
        default: false
        }
    }

    private static func isPublicV4(_ bytes: [UInt8]) -> Bool {
        switch (bytes[0], bytes[1], bytes[2]) {
        case (0, _, _), (10, _, _), (127, _, _), (224..., _, _): false
        case (100, 64...127, _), (169, 254, _), (172, 16...31, _), (192, 168, _), (198, 18...19, _): false
        case (192, 0, 0), (192, 0, 2), (192, 88, 99), (198, 51, 100), (203, 0, 113): false
        default: true
        }
    }

    private static func isPublicV6(_ bytes: [UInt8]) -> Bool {
        // Global unicast is 2000::/3; in it lie documentation, Teredo, ORCHID, benchmarks (all 2001:0-1ff…) and 6to4.
        guard bytes[0] & 0xE0 == 0x20 else { return false }
        switch (bytes[0], bytes[1], bytes[2], bytes[3]) {
        case (0x20, 0x01, 0x00...0x01, _), (0x20, 0x01, 0x0D, 0xB8), (0x20, 0x02, _, _), (0x3F, 0xFF, 0x00...0x0F, _): return false
        default: return true
        }
    }
}

extension NetworkAddress {
    /// An address without a port or brackets, and as IPv4 where it is one: `192.0.2.1` for `::ffff:192.0.2.1` and `192.0.2.1:443`.
    public static func plain(_ text: String) -> String {
        var text = text
        if text.hasPrefix("["), let end = text.firstIndex(of: "]") {
            text = String(text[text.index(after: text.startIndex)..<end])
        } else if text.count(where: { $0 == ":" }) == 1, let colon = text.firstIndex(of: ":") {
            text = String(text[..<colon])
        }
        guard let bytes = bytes(text), bytes.count == 16, bytes.prefix(10).allSatisfy({ $0 == 0 }), bytes[10] == 0xFF, bytes[11] == 0xFF
        else { return text }
        return bytes.suffix(4).map(String.init).joined(separator: ".")
    }

    /// The bytes of an address that is written in numbers, `192.0.2.1` or `2001:db8::1`, in any of the forms that a resolver takes.
    public static func bytes(_ text: String) -> [UInt8]? {
        var v4 = in_addr()
        // `inet_aton` takes what resolvers take: 127.1, 0x7f000001, 2130706433.
        if inet_aton(text, &v4) == 1 { return withUnsafeBytes(of: &v4) { Array($0) } }
        var v6 = in6_addr()
        if inet_pton(AF_INET6, text, &v6) == 1 { return withUnsafeBytes(of: &v6) { Array($0) } }
        return nil
    }
}
