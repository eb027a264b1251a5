import Foundation
import GRDB
import UsherCore

/// What can be done with a database because it is a file.
extension SQLiteDatabase {
    /// The file's number in its file system, which a copy elsewhere has not, and the token in a file beside it, which an older copy that
    /// was put in its stead does not know.
    package func place() -> String {
        guard let path else { return "memory" }
        return place(token: (try? String(contentsOfFile: path + ".place", encoding: .utf8))?.trimmingBlanks ?? "-")
    }

    package func place(token: String) -> String {
        path.flatMap(FileStatus.init).map { "file \($0.number) \(token)" } ?? "memory"
    }

    package func holdsPlace() -> Bool {
        do { try living?.announce("place") } catch { return false }
        return living != nil
    }

    package func keep(token: String) throws {
        guard let path else { return }
        try keepPrivately(token, at: path + ".place")
    }

    /// Copies all of it into a new file that only we may read, as it is at one moment; whoever writes goes on meanwhile.
    ///
    /// In one step: a copy in several begins anew whenever another process writes (https://www.sqlite.org/backup.html).
    package func copy(to path: String) throws {
        unlink(path)
        touchPrivate(path)
        do {
            let target = try DatabaseQueue(path: path)
            try writer.backup(to: target)
            // One file, without a log beside it.
            try target.writeWithoutTransaction { try $0.execute(sql: "PRAGMA journal_mode = DELETE") }
            try target.close()
        } catch { throw UsherCore.DatabaseError(error) }
    }

    /// Runs a transaction on the caller's thread, of a database that is this object's own.
    package func writeHere(_ body: (any SQLSession) throws -> Void) throws {
        precondition(isAlone, "a shared database is written to by its own thread")
        do {
            try writer.unsafeReentrantWrite { database in
                try database.inTransaction(.immediate) {
                    try body(SQLiteSession(database))
                    return .commit
                }
            }
        } catch let error as GRDB.DatabaseError { throw UsherCore.DatabaseError(error) }
    }
}

/// Writes a small file that only we may read: whole, or as it was.
private func keepPrivately(_ text: String, at path: String) throws {
    let descriptor = open(path + ".new", O_CREAT | O_TRUNC | O_WRONLY | O_CLOEXEC, 0o600)
    guard descriptor >= 0 else { throw UsherCore.DatabaseError(.other, "\(path): \(String(cString: strerror(errno)))") }
    let bytes = Array(text.utf8)
    let isWritten = write(descriptor, bytes, bytes.count) == bytes.count && fsync(descriptor) == 0
    close(descriptor)
    guard isWritten, rename(path + ".new", path) == 0 else {
        throw UsherCore.DatabaseError(.other, "\(path): \(String(cString: strerror(errno)))")
    }
}
