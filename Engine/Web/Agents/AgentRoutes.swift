import Foundation
import HTTPTypes
import Hummingbird
import NIOCore
import UsherCore

/// `POST /mcp`: agents by the same keys as any other caller. Answers are plain JSON; there are no sessions and no streams.
struct AgentRoutes: Sendable {
    let server: AgentServer
    /// Pages that may call from a browser: our own address, and those that consents may lead back to.
    let origins: [String]

    var operations: [Operation] {
        [
            Operation(
                method: .post, path: "/mcp", id: "mcp", access: .anyKey,
                summary: "Model Context Protocol (Streamable HTTP, revisions 2025-03-26 to 2026-07-28): one JSON-RPC message.",
                takes: .json(AgentMessage.self), answers: .json(.ok, AgentAnswer.self), more: Self.answers, run: answer)
        ]
    }

    /// What JSON-RPC puts beside an answer.
    private static var answers: [JSON.Member] {
        let error: JSON = [
            "description": "A JSON-RPC error, or a problem.",
            "content": [
                "application/json": ["schema": AgentAnswer.reference],
                "application/problem+json": ["schema": ProblemDetails.reference],
            ],
        ]
        return [
            .init("202", ["description": "A notification was taken."]), .init("400", error), .init("403", error), .init("404", error),
            .init("406", error),
        ]
    }

    private func answer(_ call: APICall) async throws -> Response {
        func header(_ name: String) -> String? { HTTPField.Name(name).flatMap { call.request.headers[$0] } }
        if let origin = header("Origin"), !origins.contains(origin) { return Self.refused(.forbidden, "This origin may not call here.") }
        let accepted = (header("Accept") ?? "*/*").lowercased()
        guard accepted.contains("application/json") || accepted.contains("*/*") || accepted.contains("application/*") else {
            return Self.refused(.notAcceptable, "Accept application/json.")
        }
        let type = header("Content-Type")?.split(separator: ";").first?.trimmingBlanks.lowercased()
        guard type == "application/json" else {
            throw UsherError(.requestMediaType, "Send JSON, with Content-Type: application/json.")
        }
        let reply = await server.answer(
            call.body, call.caller,
            headers: .init(version: header("MCP-Protocol-Version"), method: header("Mcp-Method"), name: header("Mcp-Name")))
        guard let message = reply.message else { return Response(status: .accepted) }
        return Response.json(.init(code: reply.status), message)
    }

    private static func refused(_ status: HTTPTypes.HTTPResponse.Status, _ message: String) -> Response {
        Response.json(status, ["jsonrpc": "2.0", "id": nil, "error": ["code": -32_600, "message": .string(message)]])
    }
}
