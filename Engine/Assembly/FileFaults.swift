import Foundation
import UsherCore

/// What is amiss with a file or folder, and can be mended without harm: secrets that others can read, folders that are missing.
package struct FileFault: Sendable {
    /// What is wrong, for an admin.
    package var text: String
    /// As one would mend it by hand.
    package var command: String
    /// Whether something is missing, which whoever needs it says, too.
    let isMissing: Bool
    private let mend: @Sendable () -> Bool

    /// Mends it.
    /// - Throws: ``ErrorCode/configuration`` where the system does not let us.
    package func repair() throws(UsherError) {
        guard mend() else {
            throw UsherError(
                .configuration, "\(text), and it cannot be mended here: \(String(cString: strerror(errno))). As its owner: \(command)")
        }
    }

    /// A file that holds secrets, and that more people can read than `mode` lets.
    private static func open(_ path: String, mode: UInt32) -> FileFault? {
        guard let present = FileStatus(path)?.mode, present & mode != present else { return nil }
        let narrower = present & mode
        let digits = String(narrower, radix: 8)
        return FileFault(text: "\(path) holds secrets, and can be read by others", command: "chmod \(digits) \(path)", isMissing: false) {
            chmod(path, narrower) == 0
        }
    }

    private static func missing(_ folder: String) -> FileFault? {
        guard !folder.isEmpty, !FileManager.default.fileExists(atPath: folder) else { return nil }
        return FileFault(text: "the folder \(folder) is missing", command: "mkdir -p -m 700 \(folder)", isMissing: true) {
            do {
                try FileManager.default.createDirectory(
                    atPath: folder, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
                return true
            } catch { return false }
        }
    }

    /// Of the files that the configuration itself is read from: with them open to everybody, no command starts.
    package static func ofConfiguration(_ environment: [String: String]) -> [FileFault] {
        let path = environment["USHER_CONFIG"] ?? ""
        let lines = (try? String(contentsOfFile: path, encoding: .utf8))?.split(whereSeparator: \.isNewline) ?? []
        let named = lines.last { $0.trimmingBlanks.hasPrefix("USHER_VAULT_KEYS_FILE=") }?.split(separator: "=", maxSplits: 1).last
        let keys =
            environment["USHER_VAULT_KEYS_FILE"] ?? named.map { $0.trimmingBlanks.trimmingCharacters(in: .init(charactersIn: "\"'")) }
        return [path, keys ?? ""].compactMap { open($0, mode: 0o750) }
    }

    /// Of what a configuration names: the database, the keys beside it, the mail's folder.
    package static func all(_ configuration: Configuration) -> [FileFault] {
        var faults: [FileFault?] = []
        if let path = configuration.database.path {
            faults.append(missing(URL(fileURLWithPath: path).deletingLastPathComponent().path))
            faults += [path, path + "-wal", path + "-shm", path + ".key"].map { open($0, mode: 0o700) }
        }
        if case .maildir(let folder) = configuration.mail, FileManager.default.fileExists(atPath: folder) {
            faults += ["tmp", "new", "cur"].map { missing("\(folder)/\($0)") }
        }
        return faults.compactMap { $0 }
    }
}
