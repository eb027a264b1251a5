/// A value that must not be seen: it prints as `<redacted>` and is read only through ``reveal()``.
public struct Secret: Hashable, Sendable, CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    private let value: String

    /// Wraps a value, which only ``reveal()`` gives back.
    public init(_ value: String) { self.value = value }

    /// The value itself, for the one line that sends or compares it.
    public func reveal() -> String { value }

    /// Never the value.
    public var description: String { "<redacted>" }
    /// Never the value.
    public var debugDescription: String { "<redacted>" }
    /// Shows nothing of the value.
    public var customMirror: Mirror { Mirror(self, children: []) }

    /// Compares every byte whatever the first difference, so that the time taken tells nothing.
    public static func == (left: Secret, right: Secret) -> Bool {
        constantTimeEqual(Array(left.value.utf8), Array(right.value.utf8))
    }
}

/// Whether two byte strings are equal, in a time that depends on their lengths alone.
public func constantTimeEqual(_ left: [UInt8], _ right: [UInt8]) -> Bool {
    guard left.count == right.count else { return false }
    return zip(left, right).reduce(UInt8(0)) { $0 | ($1.0 ^ $1.1) } == 0
}
