extension String {
    /// The text with some of its ASCII characters written otherwise.
    /// - Parameter other: what an octet becomes; `nil` where it stays. It is asked about octets beyond ASCII as well, and leaves them.
    func rewritten(_ other: (UInt8) -> StaticString?) -> String {
        var text = self
        return text.withUTF8 { bytes in
            guard var next = bytes.firstIndex(where: { other($0) != nil }) else { return self }
            var out: [UInt8] = []
            out.reserveCapacity(bytes.count + 32)
            var start = 0
            while next < bytes.endIndex {
                out += UnsafeBufferPointer(rebasing: bytes[start..<next])
                if let text = other(bytes[next]) { out += UnsafeBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount) }
                start = next + 1
                next = bytes[start...].firstIndex { other($0) != nil } ?? bytes.endIndex
            }
            out += UnsafeBufferPointer(rebasing: bytes[start...])
            return String(decoding: out, as: UTF8.self)
        }
    }
}
