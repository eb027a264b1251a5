import Foundation
import GRDB
import UsherCore

/// What can be done with a database because it is a file.
extension SQLiteDatabase {
    /// The file's number in its file system: a copy has another.
    package func place() -> String {
        path.flatMap(FileStatus.init).map { "file \($0.number)" } ?? "memory"
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
