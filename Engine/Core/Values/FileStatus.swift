import Foundation

/// What the system says of a file.
package struct FileStatus: Hashable, Sendable {
    /// The permission bits: `0o600`.
    package let mode: UInt32
    /// Its number in its file system: a copy has another.
    package let number: UInt64
    /// In bytes.
    package let size: Int64
    /// When it was last written to.
    package let changed: Instant

    /// `nil` where there is none, or it cannot be looked at.
    package init?(_ path: String) {
        // What a link leads to: mounts of secrets are links, and change where they lead.
        let target = URL(fileURLWithPath: path).resolvingSymlinksInPath().path
        guard let said = try? FileManager.default.attributesOfItem(atPath: target), let mode = said[.posixPermissions] as? NSNumber,
            let number = said[.systemFileNumber] as? NSNumber, let size = said[.size] as? NSNumber,
            let changed = said[.modificationDate] as? Date
        else { return nil }
        (self.mode, self.number, self.size) = (mode.uint32Value, number.uint64Value, size.int64Value)
        self.changed = Instant(microseconds: Int64(changed.timeIntervalSince1970 * 1_000_000))
    }
}
