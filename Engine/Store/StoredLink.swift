import UsherCore

/// A reader's own link to a page. Those of a booking are derived from one secret that lies with it, sealed; before that, each was drawn
/// by itself, and lies in a row that is found by the hash of its token.
package struct StoredLink: Hashable, Sendable {
    /// What a link opens: the way into the room, or what the reader may change.
    package enum Purpose: String, Sendable, CaseIterable { case join, manage }
    /// Whose link it is.
    package var reader: Reader
    /// What it opens.
    package var purpose: Purpose
    /// The secret part of its address, sealed.
    package var sealed: String

    /// What a booking's secret for its links is sealed for.
    package static func context(booking: String) -> String { "links:\(booking)" }

    /// What a link's token from before is sealed for.
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
