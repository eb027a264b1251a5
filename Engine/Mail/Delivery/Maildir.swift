import Foundation
import UsherCore

/// Writes each mail as a file into a Maildir: under `tmp`, made durable, then moved to `new` (https://cr.yp.to/proto/maildir.html).
/// The same mail again overwrites itself, so that a repeated delivery leaves one file.
package struct Maildir: Mailer {
    private let folder: String

    /// Makes the folders where they are missing.
    package init(folder: String) throws(UsherError) {
        self.folder = folder
        for part in ["tmp", "new", "cur"] {
            do { try FileManager.default.createDirectory(atPath: "\(folder)/\(part)", withIntermediateDirectories: true) } catch {
                throw UsherError(
                    .configuration,
                    "The mail folder \(folder) cannot be made: \(error.localizedDescription) Set USHER_MAILDIR, or SMTP_URL.")
            }
        }
    }

    package func deliver(_ mail: OutgoingMail, within limit: Duration) async -> DeliveryOutcome {
        let name = "\(mail.id).usher.eml"
        let draft = "\(folder)/tmp/\(name)"
        let descriptor = open(draft, O_CREAT | O_TRUNC | O_WRONLY | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { return .later("\(draft): \(String(cString: strerror(errno)))") }
        let head = Array("Delivered-To: \(mail.recipient)\r\nReturn-Path: <\(mail.sender)>\r\n".utf8)
        let bytes = head + mail.bytes
        let isWritten = bytes.withUnsafeBytes { buffer in
            var sent = 0
            while sent < buffer.count {
                let count = write(descriptor, buffer.baseAddress! + sent, buffer.count - sent)
                if count <= 0 { return false }
                sent += count
            }
            return fsync(descriptor) == 0
        }
        close(descriptor)
        guard isWritten, rename(draft, "\(folder)/new/\(name)") == 0, Self.sync("\(folder)/new") else {
            return .later("\(folder): \(String(cString: strerror(errno)))")
        }
        return .accepted
    }

    /// Makes a new name in a folder as durable as the file behind it.
    private static func sync(_ folder: String) -> Bool {
        let descriptor = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { return false }
        defer { close(descriptor) }
        return fsync(descriptor) == 0
    }
}
