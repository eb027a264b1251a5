import Foundation

/// Debian's `hey`, which calls a server from many callers at once.
enum Hey {
    struct Answer {
        var seconds: Double
        var status: String
    }

    /// - Parameter options: of the call, as `hey` writes them.
    static func call(_ url: String, callers: Int, count: Int, _ options: [String] = []) throws -> [Answer] {
        let hey = Process()
        hey.executableURL = URL(fileURLWithPath: "/usr/bin/hey")
        hey.arguments =
            ["-n", "\(count)", "-c", "\(callers)", "-H", "Authorization: Bearer \(Rig.key)", "-o", "csv"] + options + [url]
        let output = Pipe()
        hey.standardOutput = output
        try hey.run()
        let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        hey.waitUntilExit()
        // response-time,DNS+dialup,DNS,Request-write,Response-delay,Response-read,status-code,offset
        return text.split(separator: "\n").dropFirst().map { line in
            let fields = line.split(separator: ",")
            return Answer(seconds: Double(fields[0]) ?? 0, status: String(fields[6]))
        }
    }
}
