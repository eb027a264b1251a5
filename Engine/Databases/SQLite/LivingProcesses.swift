import Foundation
import Synchronization
import UsherCore

/// A locked file for each process beside the database: the kernel drops the lock when the process ends, however it ends.
final class LivingProcesses: Sendable {
    private let folder: String
    private let held = Mutex<[String: Int32]>([:])

    init(folder: String) { self.folder = folder }

    deinit { release() }

    /// Says of no process any more that it lives.
    func release() {
        held.withLock { held in
            for (id, descriptor) in held {
                unlink(path(id))
                close(descriptor)
            }
            held = [:]
        }
    }

    /// A second time changes nothing.
    func announce(_ id: String) throws {
        if held.withLock({ $0[id] != nil }) { return }
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        let descriptor = open(path(id), O_CREAT | O_RDWR | O_CLOEXEC, 0o600)
        guard descriptor >= 0, flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
            throw UsherCore.DatabaseError(.other, "cannot lock \(path(id)): \(String(cString: strerror(errno)))")
        }
        held.withLock { $0[id] = descriptor }
    }

    /// Dead when its file is gone, or can be locked by us.
    func isDead(_ id: String) -> Bool {
        if held.withLock({ $0[id] != nil }) { return false }
        let descriptor = open(path(id), O_RDWR | O_CLOEXEC)
        guard descriptor >= 0 else { return errno == ENOENT }
        defer { close(descriptor) }
        guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else { return false }
        unlink(path(id))
        return true
    }

    private func path(_ id: String) -> String { "\(folder)/\(id)" }
}
