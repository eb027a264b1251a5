import Foundation
import Synchronization

/// A child process with three pipes. Foundation's `Process` would do, but for its `run()`, which now and then reads past the end of its
/// memory where many are started at the same moment (Swift 6.3 on Linux).
final class ChildProcess: Sendable {
    let id: pid_t
    /// Where what it reads is written.
    let input: FileHandle
    let output: FileHandle
    let errors: FileHandle
    private let status = Mutex<Int32?>(nil)

    var isRunning: Bool { status.withLock { $0 == nil } }
    /// Its exit code, or the signal that ended it; 0 while it runs.
    var code: Int32 { status.withLock { $0.map { $0 & 0x7F == 0 ? $0 >> 8 & 0xFF : $0 & 0x7F } } ?? 0 }

    init(_ program: String, _ arguments: [String], environment: [String: String], folder: String?) throws {
        let (read, write, said) = try Self.pipes()
        (input, output, errors) = (read.into, write.from, said.from)
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        for (target, handle) in [read.from, write.into, said.into].enumerated() {
            posix_spawn_file_actions_adddup2(&actions, handle.fileDescriptor, Int32(target))
        }
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        var (none, all) = (sigset_t(), sigset_t())
        sigemptyset(&none)
        sigfillset(&all)
        posix_spawnattr_setsigmask(&attributes, &none)
        posix_spawnattr_setsigdefault(&attributes, &all)
        posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF))
        // `env` goes into the folder, and becomes the program.
        let command = (folder.map { ["/usr/bin/env", "-C", $0] } ?? []) + [program] + arguments
        let words = command.map { strdup($0) } + [nil]
        let variables = environment.map { strdup("\($0.key)=\($0.value)") } + [nil]
        defer { for text in words + variables { free(text) } }
        var child = pid_t()
        let problem = Self.opening.withLock { _ in posix_spawn(&child, command[0], &actions, &attributes, words, variables) }
        guard problem == 0 else { throw POSIXError(POSIXErrorCode(rawValue: problem) ?? .EINVAL) }
        id = child
        for handle in [read.from, write.into, said.into] { try handle.close() }
        Thread.detachNewThread { [self] in
            var end: Int32 = 0
            while waitpid(id, &end, 0) == -1, errno == EINTR {}
            status.withLock { $0 = end }
        }
    }

    /// Nothing where it has ended: its number may be somebody else's.
    func signal(_ number: Int32) { status.withLock { if $0 == nil { kill(id, number) } } }

    private typealias Ends = (from: FileHandle, into: FileHandle)
    private static let opening = Mutex(())

    /// Three pipes, both ends of each, of which no other child inherits any.
    private static func pipes() throws -> (Ends, Ends, Ends) {
        try opening.withLock { _ in (try pipe(), try pipe(), try pipe()) }
    }

    private static func pipe() throws -> Ends {
        var ends: [Int32] = [0, 0]
        guard Foundation.pipe(&ends) == 0 else { throw POSIXError(POSIXErrorCode(rawValue: errno) ?? .EMFILE) }
        for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        return (FileHandle(fileDescriptor: ends[0], closeOnDealloc: true), FileHandle(fileDescriptor: ends[1], closeOnDealloc: true))
    }
}
