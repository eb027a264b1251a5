import Foundation
import Logging
import Synchronization
import UsherAssembly
import UsherCore

/// Log lines on standard error, for people or for programs; what the piece of work at hand is about stands on each of them.
struct LogOutput: LogHandler {
    /// In force for every logger of the process.
    static let settings = Mutex((style: LogStyle.text, level: Logger.Level.notice))

    let label: String
    var metadata: Logger.Metadata = [:]
    var metadataProvider: Logger.MetadataProvider?
    private var ownLevel: Logger.Level?

    init(label: String, metadataProvider: Logger.MetadataProvider?) {
        self.label = label
        self.metadataProvider = metadataProvider
    }

    static func start() {
        LoggingSystem.bootstrap({ LogOutput(label: $0, metadataProvider: $1) }, metadataProvider: LogContext.provider)
    }

    var logLevel: Logger.Level {
        get { ownLevel ?? Self.settings.withLock(\.level) }
        set { ownLevel = newValue }
    }
    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    func log(event: LogEvent) {
        var all = metadata
        for more in [metadataProvider?.get(), event.metadata] { all.merge(more ?? [:]) { $1 } }
        let now = Environment.system.now().rfc3339
        let pairs = all.sorted { $0.key < $1.key }.map { ($0.key, "\($0.value)") }
        switch Self.settings.withLock(\.style) {
        case .text:
            Output.diagnostic("\(now) \(event.level.rawValue) \(event.message)" + pairs.map { "  \($0.0)=\(Self.plain($0.1))" }.joined())
        case .json:
            let fixed: [JSON.Member] = [
                .init("time", .string(now)), .init("level", .string(event.level.rawValue)), .init("message", .string("\(event.message)")),
            ]
            Output.diagnostic(JSON.object(fixed + pairs.map { .init($0.0, .string($0.1)) }).serialized)
        }
    }

    /// One line, whatever a provider has said.
    private static func plain(_ text: String) -> String {
        if !text.isEmpty, text.utf8.allSatisfy({ (0x21...0x7E).contains($0) && $0 != 0x22 }) { return text }
        let isOneLine = text.utf8.allSatisfy { (0x20...0x7E).contains($0) }
        let line = isOneLine ? text : text.unicodeScalars.map { $0.isControl ? " " : String($0) }.joined()
        return line.isEmpty || line.utf8.contains { $0 == 0x20 || $0 == 0x22 } ? JSON.string(line).serialized : line
    }
}
