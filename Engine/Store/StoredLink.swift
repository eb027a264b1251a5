import UsherCore

/// A reader's own link to a page: found by the hash of its token, shown again by opening the seal.
package struct StoredLink: Hashable, Sendable {
    /// What a link opens: the way into the room, or what the reader may change.
    package enum Purpose: String, Sendable, CaseIterable { case join, manage }
    /// Whose link it is.
    package var reader: Reader
    /// What it opens.
    package var purpose: Purpose
    /// The secret part of its address, sealed.
    package var sealed: String

    /// What the link's token is sealed for.
    package static func context(booking: String, reader: Reader, purpose: Purpose) -> String {
        "link:\(booking):\(reader.text):\(purpose.rawValue)"
    }

    /// Takes each property as it is.
    package init(reader: Reader, purpose: Purpose, sealed: String) {
        self.reader = reader
        self.purpose = purpose
        self.sealed = sealed
    }
}
