/// Limits of what a caller may send.
package enum Limits {
    /// The most that a booking invites.
    package static let attendees = 50
    /// The longest name, in characters.
    package static let name = 200
    /// The longest mail address (RFC 5321 §4.5.3.1.3).
    package static let mailAddress = 254
    /// The longest note, in characters.
    package static let note = 4_000
    /// The most pairs of a booking's metadata.
    package static let metadataPairs = 50
    /// The longest name or value of a pair, in characters.
    package static let metadataText = 500
}
