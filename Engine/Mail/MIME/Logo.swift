/// The site's logo: a PNG that travels inside the mail.
package struct Logo: Sendable {
    package let bytes: [UInt8]
    package let width: Int
    package let height: Int

    static let contentID = "logo@usher"
    /// Mail is to stay small.
    package static let largestFile = 200_000
    /// In the head of the mail, in CSS pixels.
    private static let (tallest, widest) = (48, 240)

    /// - Returns: `nil` when the bytes are no PNG of a size that makes sense in a mail.
    /// Source of the form: https://www.w3.org/TR/png-3/#11IHDR
    package init?(_ bytes: [UInt8]) {
        let head: [UInt8] = [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A]
        guard bytes.count > 33, bytes.count <= Self.largestFile, Array(bytes.prefix(8)) == head, bytes[12..<16].elementsEqual("IHDR".utf8)
        else { return nil }
        func number(_ at: Int) -> Int { bytes[at..<at + 4].reduce(0) { $0 << 8 | Int($1) } }
        (width, height) = (number(16), number(20))
        guard (1...5_000).contains(width), (1...5_000).contains(height) else { return nil }
        self.bytes = bytes
    }

    private var scale: Double { min(1, Double(Self.tallest) / Double(height), Double(Self.widest) / Double(width)) }
    var shownWidth: Int { max(1, Int(Double(width) * scale)) }
    var shownHeight: Int { max(1, Int(Double(height) * scale)) }
}
