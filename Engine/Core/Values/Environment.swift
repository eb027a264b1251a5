import Foundation
import Synchronization

/// The source of time and of randomness, both injected, so that a whole run can be replayed from its seed.
public struct Environment: Sendable {
    /// The present.
    public var now: @Sendable () -> Instant
    /// Random bytes, fit for secrets outside of tests.
    public var random: @Sendable (_ count: Int) -> [UInt8]

    /// - Parameters:
    ///   - now: the time.
    ///   - random: so many random bytes.
    public init(now: @escaping @Sendable () -> Instant, random: @escaping @Sendable (Int) -> [UInt8]) {
        self.now = now
        self.random = random
    }

    /// The machine's clock and the system's generator.
    public static let system = Environment(
        now: { Instant(microseconds: Int64(Date().timeIntervalSince1970 * 1_000_000)) },
        random: { count in
            [UInt8](unsafeUninitializedCapacity: count) { bytes, filled in
                if let start = bytes.baseAddress { arc4random_buf(start, count) }
                filled = count
            }
        })
}

extension Environment {
    /// An unguessable name: `bits` of randomness in base32 (`a–v`, `0–9`), which every provider and every URL takes.
    public func code(bits: Int) -> String { base32(random((bits + 7) / 8)) }

    /// An id that sorts by time of making, so that new rows land side by side: prefix, 48 bits of milliseconds, random bits.
    public func id(_ prefix: String, bits: Int = 72) -> String {
        let milliseconds = UInt64(max(0, now().microseconds / 1_000))
        let time = (0..<6).map { UInt8(truncatingIfNeeded: milliseconds >> (40 - 8 * $0)) }
        return prefix + base32(time + random((bits + 7) / 8))
    }
}

/// Base32 with the extended hex alphabet in lower case (RFC 4648 §7), without padding: it keeps the order of the bytes.
public func base32(_ bytes: [UInt8]) -> String {
    let alphabet = Array("0123456789abcdefghijklmnopqrstuv".utf8)
    var out: [UInt8] = []
    var (buffer, held) = (UInt32(0), 0)
    for byte in bytes {
        buffer = (buffer << 8 | UInt32(byte)) & 0xFFFF
        held += 8
        while held >= 5 {
            held -= 5
            out.append(alphabet[Int(buffer >> UInt32(held)) & 31])
        }
    }
    if held > 0 { out.append(alphabet[Int(buffer << UInt32(5 - held)) & 31]) }
    return String(decoding: out, as: UTF8.self)
}
