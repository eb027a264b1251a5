import Synchronization

/// What this process has counted and timed, in the text form that Prometheus reads.
/// Source of the form: https://prometheus.io/docs/instrumenting/exposition_formats/
package final class Meters: Sendable {
    /// Everything that is counted here.
    package enum Counter: String, CaseIterable, Sendable {
        case requests = "usher_http_requests_total"
        case steps = "usher_steps_total"
        case providerCalls = "usher_provider_calls_total"
        case refreshes = "usher_grant_refreshes_total"
        case mails = "usher_mails_total"
        case webhooks = "usher_webhook_tries_total"

        var help: String {
            switch self {
            case .requests: "HTTP requests by route and status."
            case .steps: "Pieces of work by kind and outcome."
            case .providerCalls: "HTTP calls to providers by status; 'unreached' and 'unclear' where there was none."
            case .refreshes: "Renewals of owners' grants by outcome."
            case .mails: "Tries to hand a mail over, by outcome."
            case .webhooks: "Tries to tell a webhook, by outcome."
            }
        }
    }

    /// Everything that is timed here, in seconds.
    package enum Timer: String, CaseIterable, Sendable {
        case requests = "usher_http_request_seconds"
        case steps = "usher_step_seconds"
        case providerCalls = "usher_provider_call_seconds"

        var help: String {
            switch self {
            case .requests: "How long requests took."
            case .steps: "How long pieces of work took."
            case .providerCalls: "How long calls to providers took."
            }
        }
    }

    /// A value that is looked up when somebody asks.
    package struct Gauge: Sendable {
        /// The metric's name, with its unit at the end.
        package var name: String
        /// What it counts, in a sentence.
        package var help: String
        /// A value for each combination of labels.
        package var values: [(labels: KeyValuePairs<String, String>, value: Double)]

        /// Takes each property as it is.
        package init(_ name: String, _ help: String, _ values: [(labels: KeyValuePairs<String, String>, value: Double)]) {
            self.name = name
            self.help = help
            self.values = values
        }
    }

    private struct Times {
        var buckets = [Int64](repeating: 0, count: Meters.bounds.count)
        var count: Int64 = 0
        var sum = 0.0
    }
    private struct State {
        var counts: [Counter: [String: Int64]] = [:]
        var times: [Timer: [String: Times]] = [:]
    }
    private let state = Mutex(State())

    private static let bounds = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30]

    /// All counters at 0.
    package init() {}

    /// Adds one to a counter.
    package func count(_ counter: Counter, _ labels: KeyValuePairs<String, String>) {
        let key = Self.text(labels)
        state.withLock { $0.counts[counter, default: [:]][key, default: 0] += 1 }
    }

    /// Adds a duration to a timer.
    package func time(_ timer: Timer, _ duration: Duration, _ labels: KeyValuePairs<String, String>) {
        let (key, seconds) = (Self.text(labels), Double(duration.microseconds) / 1_000_000)
        state.withLock { state in
            var times = state.times[timer]?[key] ?? Times()
            for index in Self.bounds.indices where seconds <= Self.bounds[index] { times.buckets[index] += 1 }
            times.count += 1
            times.sum += seconds
            state.times[timer, default: [:]][key] = times
        }
    }

    /// All of it, and what was looked up.
    package func exposition(_ gauges: [Gauge]) -> String {
        let (counts, times) = state.withLock { ($0.counts, $0.times) }
        var lines: [String] = []
        for counter in Counter.allCases {
            lines += ["# HELP \(counter.rawValue) \(counter.help)", "# TYPE \(counter.rawValue) counter"]
            for (labels, value) in (counts[counter] ?? [:]).sorted(by: { $0.key < $1.key }) {
                lines.append("\(counter.rawValue){\(labels)} \(value)")
            }
        }
        for timer in Timer.allCases {
            lines += ["# HELP \(timer.rawValue) \(timer.help)", "# TYPE \(timer.rawValue) histogram"]
            for (labels, value) in (times[timer] ?? [:]).sorted(by: { $0.key < $1.key }) { lines += Self.lines(timer, labels, value) }
        }
        for gauge in gauges {
            lines += ["# HELP \(gauge.name) \(gauge.help)", "# TYPE \(gauge.name) gauge"]
            for (labels, value) in gauge.values {
                let text = Self.text(labels)
                lines.append("\(gauge.name)\(text.isEmpty ? "" : "{\(text)}") \(value)")
            }
        }
        return lines.joined(separator: "\n") + "\n"
    }

    private static func lines(_ timer: Timer, _ labels: String, _ times: Times) -> [String] {
        zip(bounds, times.buckets).map { "\(timer.rawValue)_bucket{\(labels),le=\"\($0)\"} \($1)" } + [
            "\(timer.rawValue)_bucket{\(labels),le=\"+Inf\"} \(times.count)", "\(timer.rawValue)_sum{\(labels)} \(times.sum)",
            "\(timer.rawValue)_count{\(labels)} \(times.count)",
        ]
    }

    private static func text(_ labels: KeyValuePairs<String, String>) -> String {
        var text = ""
        for (name, value) in labels {
            if !text.isEmpty { text += "," }
            text += name
            text += "=\""
            text += escaped(value)
            text += "\""
        }
        return text
    }

    private static func escaped(_ value: String) -> String {
        guard value.utf8.contains(where: { $0 == 0x5C || $0 == 0x22 || $0 == 0x0A }) else { return value }
        return value.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"").replacing("\n", with: "\\n")
    }
}
