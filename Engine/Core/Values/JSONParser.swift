extension JSON {
    /// What is wrong with a text that is not JSON.
    public struct SyntaxError: Error, CustomStringConvertible {
        /// What is wrong, in words.
        public var problem: String
        /// Bytes from the beginning.
        public var offset: Int
        /// The problem and where it is.
        public var description: String { "\(problem) at byte \(offset)" }
    }

    /// Parses one JSON document (RFC 8259) in UTF-8, strictly: objects keep their order, integers their digits, and a name may
    /// stand only once in an object, because two readers of such a text would not agree about it.
    /// - Throws: ``SyntaxError``.
    public init(parsing bytes: some Sequence<UInt8>) throws(SyntaxError) {
        let bytes = ContiguousArray(bytes)
        var parser = JSONParser(bytes)
        self = try parser.document()
    }

    /// Parses one document, as from its bytes.
    /// - Throws: ``SyntaxError``.
    public init(parsing text: String) throws(SyntaxError) { try self.init(parsing: text.utf8) }
}

/// Reads a document byte by byte.
private struct JSONParser {
    private let bytes: ContiguousArray<UInt8>
    private var at = 0
    private var depth = 0

    private static let deepest = 100

    init(_ bytes: ContiguousArray<UInt8>) { self.bytes = bytes }

    mutating func document() throws(JSON.SyntaxError) -> JSON {
        let value = try value()
        guard next() == nil else { throw error("more follows after the value") }
        return value
    }

    private func error(_ problem: String) -> JSON.SyntaxError { JSON.SyntaxError(problem: problem, offset: at) }

    /// The next byte that is not blank.
    private mutating func next() -> UInt8? {
        while at < bytes.count {
            let byte = bytes[at]
            guard byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 else { return byte }
            at += 1
        }
        return nil
    }

    private mutating func take(_ byte: UInt8) -> Bool {
        guard next() == byte else { return false }
        at += 1
        return true
    }

    private mutating func value() throws(JSON.SyntaxError) -> JSON {
        switch next() {
        case UInt8(ascii: "{"): return try nested { parser throws(JSON.SyntaxError) in try parser.object() }
        case UInt8(ascii: "["): return try nested { parser throws(JSON.SyntaxError) in try parser.array() }
        case UInt8(ascii: "\""): return .string(try string())
        case UInt8(ascii: "t"): return try word("true", .bool(true))
        case UInt8(ascii: "f"): return try word("false", .bool(false))
        case UInt8(ascii: "n"): return try word("null", .null)
        case let byte? where byte == UInt8(ascii: "-") || (0x30...0x39).contains(byte): return try number()
        case nil: throw error("the text ends where a value should stand")
        default: throw error("a value should stand here")
        }
    }

    private mutating func nested(_ body: (inout JSONParser) throws(JSON.SyntaxError) -> JSON) throws(JSON.SyntaxError) -> JSON {
        guard depth < Self.deepest else { throw error("this is nested too deep") }
        depth += 1
        defer { depth -= 1 }
        at += 1
        return try body(&self)
    }

    private mutating func object() throws(JSON.SyntaxError) -> JSON {
        var members: [JSON.Member] = []
        var names: Set<String> = []
        if take(UInt8(ascii: "}")) { return .object([]) }
        repeat {
            guard next() == UInt8(ascii: "\"") else { throw error("a name in quotes should stand here") }
            let name = try string()
            guard names.insert(name).inserted else { throw error("'\(name.prefix(80))' stands twice in one object") }
            guard take(UInt8(ascii: ":")) else { throw error("a colon should stand here") }
            members.append(JSON.Member(name, try value()))
        } while take(UInt8(ascii: ","))
        guard take(UInt8(ascii: "}")) else { throw error("an object must end with }") }
        return .object(members)
    }

    private mutating func array() throws(JSON.SyntaxError) -> JSON {
        var items: [JSON] = []
        if take(UInt8(ascii: "]")) { return .array([]) }
        repeat { items.append(try value()) } while take(UInt8(ascii: ","))
        guard take(UInt8(ascii: "]")) else { throw error("a list must end with ]") }
        return .array(items)
    }

    private mutating func word(_ word: StaticString, _ value: JSON) throws(JSON.SyntaxError) -> JSON {
        for offset in 0..<word.utf8CodeUnitCount {
            guard at < bytes.count, bytes[at] == word.utf8Start[offset] else { throw error("a value should stand here") }
            at += 1
        }
        return value
    }

    private mutating func digits() throws(JSON.SyntaxError) {
        let start = at
        while at < bytes.count, (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(bytes[at]) { at += 1 }
        guard at > start else { throw error("a digit should stand here") }
    }

    private mutating func number() throws(JSON.SyntaxError) -> JSON {
        let start = at
        var isInteger = true
        if bytes[at] == UInt8(ascii: "-") { at += 1 }
        let first = at
        try digits()
        guard bytes[first] != UInt8(ascii: "0") || at == first + 1 else { throw error("a number must not begin with 0") }
        if at < bytes.count, bytes[at] == UInt8(ascii: ".") {
            isInteger = false
            at += 1
            try digits()
        }
        if at < bytes.count, bytes[at] | 0x20 == UInt8(ascii: "e") {
            isInteger = false
            at += 1
            if at < bytes.count, bytes[at] == UInt8(ascii: "+") || bytes[at] == UInt8(ascii: "-") { at += 1 }
            try digits()
        }
        let text = String(decoding: bytes[start..<at], as: UTF8.self)
        if isInteger, let value = Int64(text) { return .int(value) }
        guard let value = Double(text) else { throw error("this is no number") }
        return .double(value)
    }

    private mutating func string() throws(JSON.SyntaxError) -> String {
        at += 1
        let start = at
        while at < bytes.count {
            switch bytes[at] {
            case UInt8(ascii: "\""):
                defer { at += 1 }
                return try text(bytes.span.extracting(start..<at))
            case UInt8(ascii: "\\"): return try escapedString(from: start)
            case 0..<0x20: throw error("a control character must be written as \\u00…")
            default: at += 1
            }
        }
        throw error("a string must end with a quote")
    }

    private func text(_ part: Span<UInt8>) throws(JSON.SyntaxError) -> String {
        do { return String(copying: try UTF8Span(validating: part)) } catch { throw self.error("this is not UTF-8") }
    }

    /// A string that holds escapes, read from its beginning.
    private mutating func escapedString(from start: Int) throws(JSON.SyntaxError) -> String {
        var out = Array(bytes[start..<at])
        while at < bytes.count {
            let byte = bytes[at]
            at += 1
            switch byte {
            case UInt8(ascii: "\""): return try text(out.span)
            case UInt8(ascii: "\\"): try escape(&out)
            case 0..<0x20: throw error("a control character must be written as \\u00…")
            default: out.append(byte)
            }
        }
        throw error("a string must end with a quote")
    }

    private mutating func escape(_ out: inout [UInt8]) throws(JSON.SyntaxError) {
        guard at < bytes.count else { throw error("a string must end with a quote") }
        let byte = bytes[at]
        at += 1
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): out.append(byte)
        case UInt8(ascii: "b"): out.append(0x08)
        case UInt8(ascii: "f"): out.append(0x0C)
        case UInt8(ascii: "n"): out.append(0x0A)
        case UInt8(ascii: "r"): out.append(0x0D)
        case UInt8(ascii: "t"): out.append(0x09)
        case UInt8(ascii: "u"): out += Array(String(Character(try scalar())).utf8)
        default: throw error("there is no such escape")
        }
    }

    /// `\u` has been read; the second half of a pair may follow.
    private mutating func scalar() throws(JSON.SyntaxError) -> Unicode.Scalar {
        let unit = try hex()
        if let scalar = Unicode.Scalar(unit) { return scalar }
        guard (0xD800..<0xDC00).contains(unit), at + 1 < bytes.count, bytes[at] == UInt8(ascii: "\\"), bytes[at + 1] == UInt8(ascii: "u")
        else { throw error("half of a surrogate pair stands alone") }
        at += 2
        let low = try hex()
        guard (0xDC00..<0xE000).contains(low),
            let scalar = Unicode.Scalar(0x10000 + (UInt32(unit) - 0xD800) << 10 + UInt32(low) - 0xDC00)
        else { throw error("half of a surrogate pair stands alone") }
        return scalar
    }

    private mutating func hex() throws(JSON.SyntaxError) -> UInt16 {
        guard at + 4 <= bytes.count, let value = UInt16(String(decoding: bytes[at..<at + 4], as: UTF8.self), radix: 16),
            bytes[at] != UInt8(ascii: "+"), bytes[at] != UInt8(ascii: "-")
        else { throw error("four hexadecimal digits should stand here") }
        at += 4
        return value
    }
}
