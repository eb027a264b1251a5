import Logging

/// What the log lines of a piece of work carry: booking, owner, provider.
package enum LogContext {
    @TaskLocal package static var metadata: Logger.Metadata = [:]

    /// For the logging system's start: puts the above on each line.
    package static let provider = Logger.MetadataProvider { metadata }
}
