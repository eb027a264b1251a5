import ArgumentParser
import Foundation
import UsherAssembly
import UsherCore
import UsherPipeline
import UsherWeb

/// The Model Context Protocol over standard input and output: a message a line. Standard output carries nothing else.
struct AgentCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "mcp", abstract: "Let an agent book over stdin and stdout (Model Context Protocol).",
        discussion: "It works on the database itself, as every command does, and carries its bookings' steps out, server or not.")

    /// As over HTTP: whoever calls a tool waits for it.
    private static let patience = Duration.seconds(20)

    @OptionGroup var options: Options
    @Option(
        name: .customLong("scope"),
        help: ArgumentHelp(
            stringLiteral: "What the agent may do: \(Scope.allCases.map(\.rawValue).joined(separator: ", ")); more than once for more."))
    var scopes: [Scope] = [.bookingsRead, .bookingsWrite]

    func run() async throws {
        let allowed = Set(scopes)
        try await options.withRuntime { runtime in
            let server = AgentServer(runtime.context, runtime.service) { id in
                // A room that could not be taken away yet is no reason to hide the booking.
                do { return try await BookingDriver(runtime).drive(id, within: Self.patience) } catch is Exit {
                    return try await runtime.service.view(id)
                }
            }
            // Whoever speaks to us waits for each answer, or does not mind that they come in order.
            for line in Lines() where !line.trimmingBlanks.isEmpty {
                if let answer = await server.answer(line: line, scopes: allowed) { Output.line(answer) }
            }
        }
    }
}

/// The lines of standard input, until it ends.
private struct Lines: Sequence, IteratorProtocol {
    mutating func next() -> String? { readLine(strippingNewline: true) }
}
