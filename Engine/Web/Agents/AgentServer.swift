import Logging
import UsherCore
import UsherPipeline
import UsherVault

/// The Model Context Protocol, without a way of transport: a message in, an answer out. It holds no session, so both eras of the
/// protocol are served by the same values: the ones that open with `initialize`, and 2026-07-28, where each request says it all.
/// Source: https://modelcontextprotocol.io/specification
package struct AgentServer: Sendable {
    private let tools: [AgentTool]
    private let logger: Logger

    static let modern = "2026-07-28"
    static let legacy = ["2025-11-25", "2025-06-18", "2025-03-26", "2024-11-05"]
    /// How long a client may keep what `tools/list` and `server/discover` say.
    private static let cacheMilliseconds: Int64 = 60_000

    /// - Parameter settle: waits until a booking's room is there, or what keeps it from being there is known.
    package init(
        _ context: EngineContext, _ service: BookingService, settle: @escaping @Sendable (String) async throws -> BookingView
    ) {
        tools = AgentTools(context: context, service: service, settle: settle).all
        logger = context.logger
    }

    /// What one message is answered with.
    struct Reply: Sendable {
        /// `nil` for a notification.
        var message: JSON?
        /// As HTTP says it.
        var status: Int = 200
    }

    /// What a message brings along where it comes over HTTP.
    struct Headers: Sendable {
        var version: String?
        var method: String?
        var name: String?
    }

    /// Takes one message as text, for a transport of lines.
    /// - Parameter scopes: what the one who speaks may do.
    /// - Returns: the answer's text; `nil` where none is due.
    package func answer(line: String, scopes: Set<Scope>) async -> String? {
        await Actor.acting("cli") {
            await answer(Array(line.utf8), Caller(id: "stdio", scopes: scopes), headers: nil).message?.serialized
        }
    }

    /// - Parameter headers: `nil` where the transport has none.
    func answer(_ bytes: [UInt8], _ caller: Caller, headers: Headers?) async -> Reply {
        let message: JSON
        do { message = try JSON(parsing: bytes) } catch { return Self.failure(nil, -32_700, "The message is not JSON: \(error).", 400) }
        let id = message["id"]
        guard message.members != nil, message["jsonrpc"] == "2.0", Self.isID(id), message["params"].map({ $0.members != nil }) ?? true
        else {
            return Self.failure(nil, -32_600, "Send one JSON-RPC 2.0 message.", 400)
        }
        guard let method = message["method"]?.string else {
            // An answer to something that was never asked.
            let isAnswer = message["method"] == nil && (message["result"] != nil || message["error"] != nil)
            return isAnswer ? Reply(status: 202) : Self.failure(id, -32_600, "The method is missing.", 400)
        }
        guard let id else { return Reply(status: 202) }
        let request = Request(id: id, method: method, params: message["params"] ?? [:], caller: caller)
        return Self.isModern(request, headers) ? await modern(request, headers) : await legacy(request, headers)
    }

    struct Request: Sendable {
        var id: JSON
        var method: String
        var params: JSON
        var caller: Caller

        func meta(_ name: String) -> JSON? { params["_meta"]?["io.modelcontextprotocol/" + name] }
    }

    private static func isID(_ id: JSON?) -> Bool { id.map { $0.string != nil || $0.int != nil } ?? true }

    private static func isModern(_ request: Request, _ headers: Headers?) -> Bool {
        guard request.method != "initialize" else { return false }
        return request.method == "server/discover" || request.meta("protocolVersion") != nil || headers?.version == modern
    }

    // MARK: The eras

    private func legacy(_ request: Request, _ headers: Headers?) async -> Reply {
        if let version = headers?.version, !Self.legacy.contains(version), request.method != "initialize" {
            return Self.failure(request.id, -32_600, "MCP-Protocol-Version \(version.prefix(40)) is not spoken here.", 400)
        }
        switch request.method {
        case "initialize":
            let asked = request.params["protocolVersion"]?.string
            let version = asked.flatMap { Self.legacy.contains($0) ? $0 : nil } ?? Self.legacy[0]
            return Self.success(
                request.id,
                [
                    "protocolVersion": .string(version), "capabilities": ["tools": [:]],
                    "serverInfo": ["name": "usher", "title": "Usher", "version": .string(UsherVersion.number)],
                    "instructions": .string(Self.instructions),
                ])
        case "ping": return Self.success(request.id, [:])
        case "tools/list": return Self.success(request.id, ["tools": listed(request.caller)])
        case "tools/call": return await call(request) { $0 }
        default: return Self.failure(request.id, -32_601, "There is no method '\(request.method.prefix(80))' here.", 200)
        }
    }

    private func modern(_ request: Request, _ headers: Headers?) async -> Reply {
        guard let version = request.meta("protocolVersion")?.string, request.meta("clientCapabilities")?.members != nil else {
            return Self.failure(request.id, -32_602, "params._meta must hold protocolVersion and clientCapabilities.", 400)
        }
        if let headers, let wrong = Self.mismatch(request, version, headers) { return Self.failure(request.id, -32_020, wrong, 400) }
        guard version == Self.modern else {
            let data: JSON = [
                "supported": .array(([Self.modern] + Self.legacy).map(JSON.string)), "requested": .string(String(version.prefix(80))),
            ]
            return Self.failure(request.id, -32_022, "This version of the protocol is not spoken here.", 400, data)
        }
        func complete(_ result: JSON) -> JSON { .object([.init("resultType", "complete")] + (result.members ?? [])) }
        func cached(_ result: JSON) -> JSON {
            .object((complete(result).members ?? []) + [.init("ttlMs", .int(Self.cacheMilliseconds)), .init("cacheScope", "private")])
        }
        switch request.method {
        case "server/discover":
            return Self.success(
                request.id,
                cached([
                    "supportedVersions": .array(([Self.modern] + Self.legacy).map(JSON.string)), "capabilities": ["tools": [:]],
                    "serverInfo": ["name": "usher", "title": "Usher", "version": .string(UsherVersion.number)],
                    "instructions": .string(Self.instructions),
                ]))
        case "tools/list": return Self.success(request.id, cached(["tools": listed(request.caller)]))
        case "tools/call": return await call(request, complete)
        default: return Self.failure(request.id, -32_601, "There is no method '\(request.method.prefix(80))' here.", 404)
        }
    }

    /// Where a header and the message say different things, somebody on the way has been told something else than we.
    private static func mismatch(_ request: Request, _ version: String, _ headers: Headers) -> String? {
        if headers.version != version { return "MCP-Protocol-Version must be that of params._meta." }
        if headers.method != request.method { return "Mcp-Method must be the message's method." }
        if request.method == "tools/call", headers.name != request.params["name"]?.string {
            return "Mcp-Name must be the name of the tool that is called."
        }
        return nil
    }

    private static let instructions =
        "Books meetings with a video room. Begin with list_meeting_types. Times are RFC 3339 with an offset, or a wall-clock time with timeZone. Where a booking's meeting.status is 'blocked' or 'failed', meeting.problem.remedy says what a person must do."

    // MARK: Tools

    /// A tool that the caller may not use is none of theirs.
    private func listed(_ caller: Caller) -> JSON { .array(tools.filter { caller.may($0.scope) }.map(\.json)) }

    private func call(_ request: Request, _ complete: (JSON) -> JSON) async -> Reply {
        let name = request.params["name"]?.string ?? ""
        guard let tool = tools.first(where: { $0.name == name }) else {
            let names = tools.map(\.name)
            let near = nearest(name, names).map { "Did you mean '\($0)'?" } ?? "There are: \(names.joined(separator: ", "))."
            return Self.failure(request.id, -32_602, "No tool is called '\(name.prefix(80))'. \(near)", 200)
        }
        do {
            try request.caller.require(tool.scope)
            let arguments = request.params["arguments"] ?? [:]
            guard arguments.members != nil else { throw UsherError(.validationFailed, "The arguments must be an object.") }
            let result = try await tool.run(AgentCall(caller: request.caller, arguments: arguments))
            return Self.success(
                request.id, complete(["content": Self.text(result.serialized), "structuredContent": result, "isError": false]))
        } catch let error as UsherError {
            return Self.success(request.id, complete(["content": Self.text(Self.words(error)), "isError": true]))
        } catch {
            logger.error("an agent's call failed", metadata: ["tool": "\(name)", "error": "\(error)"])
            return Self.failure(request.id, -32_603, "Something went wrong here. It is in the server's log; try again in a moment.", 200)
        }
    }

    private static func text(_ text: String) -> JSON { [["type": "text", "text": .string(text)]] }

    /// What a model can act upon: the code, what is wrong, and where.
    private static func words(_ error: UsherError) -> String {
        (["\(error.code.rawValue): \(error.message)"] + error.findings.map { "\($0.pointer) \($0.detail)" }).joined(separator: "\n")
    }

    // MARK: Messages

    private static func success(_ id: JSON, _ result: JSON) -> Reply { Reply(message: ["jsonrpc": "2.0", "id": id, "result": result]) }

    private static func failure(_ id: JSON?, _ code: Int64, _ message: String, _ status: Int, _ data: JSON? = nil) -> Reply {
        var error: [JSON.Member] = [.init("code", .int(code)), .init("message", .string(message))]
        if let data { error.append(.init("data", data)) }
        return Reply(message: ["jsonrpc": "2.0", "id": id ?? .null, "error": .object(error)], status: status)
    }
}

/// What a call consists of, whatever the order of its members.
func fingerprint(_ json: JSON) -> String { Vault.hash(json.sorted.bytes) }
