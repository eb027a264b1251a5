import Foundation
import Synchronization

/// A program run as a child process; it is killed when the value goes.
final class Command: Sendable {
    private let process: ChildProcess
    var processID: Int32 { process.id }
    private let output = Lines()
    private let errors = Lines()

    /// The folder of the products that were built beside these tests.
    static let products = URL(fileURLWithPath: ProcessInfo.processInfo.arguments[0]).deletingLastPathComponent().path
    static var usher: String { products + "/usher" }
    /// Python with the packages that `make testdeps` installs: 1 with MCP's client of the first era, 2 of the second; 3 drives a
    /// browser.
    static func python(_ environment: Int) -> String {
        built + "/python/\(environment)/bin/python"
    }
    /// What `make testdeps` installs and builds.
    static var built: String { URL(fileURLWithPath: #filePath).deletingLastPathComponent().path + "/../../../.build" }
    /// The environment of a program on a machine whose time of day is so many seconds ahead.
    static func clock(shiftedBy seconds: Int) -> [String: String] {
        ["LD_PRELOAD": built + "/wrong_clock.so", "CLOCK_SHIFT": "\(seconds)"]
    }
    static func script(_ name: String) -> String {
        URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent().path + "/Scripts/\(name)"
    }

    init(_ program: String, _ arguments: [String], environment: [String: String] = [:], folder: String? = nil) throws {
        let usual = ["PATH": "/usr/local/bin:/usr/bin:/bin", "HOME": "/tmp", "PYTHONDONTWRITEBYTECODE": "1"]
        process = try ChildProcess(program, arguments, environment: usual.merging(environment) { _, new in new }, folder: folder)
        output.follow(process.output)
        errors.follow(process.errors)
    }

    deinit { kill() }

    func kill() {
        guard process.isRunning else { return }
        process.signal(SIGKILL)
        // Its ports and files are free when this returns.
        var end = siginfo_t()
        while process.isRunning, waitid(P_PID, id_t(processID), &end, WEXITED | WNOWAIT) == -1, errno == EINTR {}
    }
    /// What it has written so far.
    var outputText: String { output.text }
    func terminate() { process.signal(SIGTERM) }
    func signal(_ number: Int32) { process.signal(number) }
    func write(_ bytes: [UInt8]) {
        process.input.write(Data(bytes))
        try? process.input.close()
    }

    /// Waits for the end, and gives the exit code with what was said. A test whose time is up takes the program with it.
    func finish() async -> (code: Int32, output: String, errors: String) {
        while process.isRunning { do { try await Task.sleep(for: .milliseconds(5)) } catch { kill() } }
        await output.ended()
        await errors.ended()
        return (process.code, output.text, errors.text)
    }

    /// The first line of output that `matches`; `nil` if the program ends or `limit` passes without one.
    func line(within limit: Duration = .seconds(60), errorStream: Bool = false, _ matches: (String) -> Bool = { _ in true }) async
        -> String?
    {
        let end = ContinuousClock.now + limit
        while ContinuousClock.now < end {
            let lines = (errorStream ? errors : output).text.split(separator: "\n").map(String.init)
            if let line = lines.first(where: matches) { return line }
            if !process.isRunning || Task.isCancelled { return nil }
            try? await Task.sleep(for: .milliseconds(5))
        }
        return nil
    }

    var errorText: String { errors.text }
}

/// What comes out of a pipe.
private final class Lines: Sendable {
    private struct State {
        var bytes: [UInt8] = []
        var isAtEnd = false
    }
    private let state = Mutex(State())

    var text: String { state.withLock { String(decoding: $0.bytes, as: UTF8.self) } }

    /// By a thread of its own: libdispatch on Linux can crash over a descriptor that is closed and used again.
    func follow(_ handle: FileHandle) {
        Thread.detachNewThread {
            var isAtEnd = false
            while !isAtEnd {
                let data = handle.availableData
                isAtEnd = data.isEmpty
                self.state.withLock { state in
                    state.bytes += data
                    state.isAtEnd = isAtEnd
                }
            }
        }
    }

    func ended() async {
        for _ in 0..<400 where !state.withLock({ $0.isAtEnd }) { try? await Task.sleep(for: .milliseconds(5)) }
    }
}
