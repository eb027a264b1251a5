import Foundation
import UsherCore

/// Where the vault's keys come from: the configuration, or a file that only we may read.
package enum VaultKeys {
    /// Reads comma-separated keys, each 32 bytes in base64 or hex.
    package static func parse(_ text: String) throws(UsherError) -> [[UInt8]] {
        var keys: [[UInt8]] = []
        for (index, part) in text.split(whereSeparator: { $0 == "," || $0.isNewline }).enumerated() {
            guard let key = key(part.trimmingBlanks) else {
                throw UsherError(
                    .configuration,
                    "Key \(index + 1) of USHER_VAULT_KEYS or USHER_VAULT_KEYS_FILE is not 32 bytes in base64 or hex; make one with: openssl rand -base64 32"
                )
            }
            keys.append(key)
        }
        return keys
    }

    private static func key(_ text: String) -> [UInt8]? {
        if text.utf8.count == 64, text.allSatisfy(\.isHexDigit) {
            let digits = Array(text)
            return stride(from: 0, to: 64, by: 2).compactMap { UInt8(String(digits[$0...$0 + 1]), radix: 16) }
        }
        guard let data = Data(base64Encoded: text), data.count == 32 else { return nil }
        return Array(data)
    }

    /// Reads the key file, or makes it with a new key, mode 0600. Two processes that start together end with the same key.
    /// - Throws: ``UsherError`` when the file can be read by others, or does not hold keys.
    package static func file(at path: String, random: (Int) -> [UInt8]) throws(UsherError) -> [[UInt8]] {
        if !FileManager.default.fileExists(atPath: path) { try make(path, Data(random(32)).base64EncodedString() + "\n") }
        let attributes = try? FileManager.default.attributesOfItem(atPath: path)
        guard let mode = (attributes?[.posixPermissions] as? NSNumber)?.intValue, mode & 0o077 == 0 else {
            throw UsherError(.configuration, "The key file \(path) can be read by others: chmod 600 \(path)")
        }
        guard let text = try? String(contentsOfFile: path, encoding: .utf8) else {
            throw UsherError(.configuration, "The key file \(path) cannot be read: check its owner.")
        }
        return try parse(text)
    }

    /// Puts a new key in front of those in the file. The old ones stay: backups were made under them.
    package static func addKey(at path: String, random: (Int) -> [UInt8]) throws(UsherError) {
        let old = try file(at: path, random: random)
        let text = ([random(32)] + old).map { Data($0).base64EncodedString() }.joined(separator: ",") + "\n"
        let draft = "\(path).new"
        let descriptor = open(draft, O_CREAT | O_TRUNC | O_WRONLY | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else {
            throw UsherError(.configuration, "The key file \(path) cannot be written: \(String(cString: strerror(errno))).")
        }
        let bytes = Array(text.utf8)
        let isWritten = write(descriptor, bytes, bytes.count) == bytes.count && fsync(descriptor) == 0
        close(descriptor)
        guard isWritten, rename(draft, path) == 0 else {
            throw UsherError(.configuration, "The key file \(path) cannot be written: \(String(cString: strerror(errno))).")
        }
    }

    /// Makes a file of keys, mode 0600; one that is there stays.
    package static func make(_ path: String, _ keys: String) throws(UsherError) {
        let draft = "\(path).\(UInt64.random(in: 0 ... .max))"
        let descriptor = open(draft, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else {
            throw UsherError(.configuration, "The key file \(path) cannot be made: \(String(cString: strerror(errno))).")
        }
        let text = Array(keys.utf8)
        let written = write(descriptor, text, text.count) == text.count && fsync(descriptor) == 0
        close(descriptor)
        defer { unlink(draft) }
        // A link fails where the name is taken: whoever comes second uses the first one's key.
        guard written, link(draft, path) == 0 || errno == EEXIST else {
            throw UsherError(.configuration, "The key file \(path) cannot be written: \(String(cString: strerror(errno))).")
        }
    }
}
