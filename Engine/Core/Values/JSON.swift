/// A JSON value whose objects keep the order in which they were written.
public enum JSON: Hashable, Sendable {
    case null
    case bool(Bool)
    case int(Int64)
    case double(Double)
    case string(String)
    case array([JSON])
    case object([Member])

    /// A name and its value in an object.
    public struct Member: Hashable, Sendable {
        /// The name.
        public var key: String
        /// Its value.
        public var value: JSON
        /// Takes each property as it is.
        public init(_ key: String, _ value: JSON) {
            self.key = key
            self.value = value
        }
    }
}

extension JSON: ExpressibleByStringLiteral, ExpressibleByStringInterpolation, ExpressibleByBooleanLiteral,
    ExpressibleByIntegerLiteral, ExpressibleByNilLiteral, ExpressibleByArrayLiteral, ExpressibleByDictionaryLiteral
{
    /// A string.
    public init(stringLiteral value: String) { self = .string(value) }
    /// A boolean.
    public init(booleanLiteral value: Bool) { self = .bool(value) }
    /// A whole number.
    public init(integerLiteral value: Int64) { self = .int(value) }
    /// `null`.
    public init(nilLiteral: ()) { self = .null }
    /// An array.
    public init(arrayLiteral elements: JSON...) { self = .array(elements) }
    /// An object whose members keep their order; a name that stands twice is written twice.
    public init(dictionaryLiteral elements: (String, JSON)...) { self = .object(elements.map { Member($0.0, $0.1) }) }

    /// A string, or `null` for `nil`.
    public init(_ value: String?) { self = value.map(JSON.string) ?? .null }
    /// An object of strings, its members by name.
    public init(_ pairs: [String: String]) {
        self = .object(pairs.sorted { $0.key < $1.key }.map { Member($0.key, .string($0.value)) })
    }
}

extension JSON {
    /// The value of the first member of that name; `nil` where there is none, or this is no object.
    public subscript(key: String) -> JSON? {
        guard case .object(let members) = self else { return nil }
        return members.first { $0.key == key }?.value
    }
    /// The string; `nil` for anything else.
    public var string: String? { if case .string(let value) = self { value } else { nil } }
    /// The whole number; `nil` for anything else.
    public var int: Int64? { if case .int(let value) = self { value } else { nil } }
    /// The boolean; `nil` for anything else.
    public var bool: Bool? { if case .bool(let value) = self { value } else { nil } }
    /// The items; `nil` where this is no array.
    public var array: [JSON]? { if case .array(let value) = self { value } else { nil } }
    /// The members in their order; `nil` where this is no object.
    public var members: [Member]? { if case .object(let value) = self { value } else { nil } }
    /// Whether this is `null`.
    public var isNull: Bool { self == .null }

    /// A string, or a number written as one: ids arrive in either form.
    public var text: String? {
        switch self {
        case .string(let value): value
        case .int(let value): String(value)
        default: nil
        }
    }
}

extension JSON {
    /// The same with the members of every object by name, so that equal contents are equal texts.
    public var sorted: JSON {
        switch self {
        case .object(let members): .object(members.map { Member($0.key, $0.value.sorted) }.sorted { $0.key < $1.key })
        case .array(let items): .array(items.map(\.sorted))
        default: self
        }
    }

    /// The same with one more member in the object under `name`.
    public func adding(_ value: JSON, as key: String, under name: String) -> JSON {
        .object(
            (members ?? []).map { member in
                member.key == name ? Member(name, .object((member.value.members ?? []) + [Member(key, value)])) : member
            })
    }
}

extension JSON {
    /// The value as compact JSON, in UTF-8, with members in their order.
    public var bytes: [UInt8] {
        var out: [UInt8] = []
        out.reserveCapacity(512)
        write(into: &out)
        return out
    }

    /// ``bytes`` as text.
    public var serialized: String { String(decoding: bytes, as: UTF8.self) }

    /// Indented by two blanks, for people.
    public var pretty: String { prettyLines(indent: "") }

    private func prettyLines(indent: String) -> String {
        let inner = indent + "  "
        switch self {
        case .object(let members) where !members.isEmpty:
            let lines = members.map { inner + JSON.string($0.key).serialized + ": " + $0.value.prettyLines(indent: inner) }
            return "{\n" + lines.joined(separator: ",\n") + "\n\(indent)}"
        case .array(let items) where !items.isEmpty:
            return "[\n" + items.map { inner + $0.prettyLines(indent: inner) }.joined(separator: ",\n") + "\n\(indent)]"
        default: return serialized
        }
    }

    private func write(into out: inout [UInt8]) {
        switch self {
        case .null: out.append(contentsOf: "null".utf8)
        case .bool(let value): out.append(contentsOf: (value ? "true" : "false").utf8)
        case .int(let value): out.append(contentsOf: String(value).utf8)
        case .double(let value): out.append(contentsOf: (value.isFinite ? "\(value)" : "null").utf8)
        case .string(let value): JSON.write(value, into: &out)
        case .array(let items):
            out.append(UInt8(ascii: "["))
            for (index, item) in items.enumerated() {
                if index > 0 { out.append(UInt8(ascii: ",")) }
                item.write(into: &out)
            }
            out.append(UInt8(ascii: "]"))
        case .object(let members):
            out.append(UInt8(ascii: "{"))
            for (index, member) in members.enumerated() {
                if index > 0 { out.append(UInt8(ascii: ",")) }
                JSON.write(member.key, into: &out)
                out.append(UInt8(ascii: ":"))
                member.value.write(into: &out)
            }
            out.append(UInt8(ascii: "}"))
        }
    }

    private static func write(_ text: String, into out: inout [UInt8]) {
        out.append(UInt8(ascii: "\""))
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "\""): out.append(contentsOf: "\\\"".utf8)
            case UInt8(ascii: "\\"): out.append(contentsOf: "\\\\".utf8)
            case 0x0A: out.append(contentsOf: "\\n".utf8)
            case 0..<0x20: out.append(contentsOf: ("\\u00" + (byte < 16 ? "0" : "") + String(byte, radix: 16)).utf8)
            default: out.append(byte)
            }
        }
        out.append(UInt8(ascii: "\""))
    }
}

extension JSON {
    /// A member's name as one part of a JSON pointer (RFC 6901 §3).
    public static func pointerPart(_ key: String) -> String { key.replacing("~", with: "~0").replacing("/", with: "~1") }
}
