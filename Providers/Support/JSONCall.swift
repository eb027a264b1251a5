import UsherCore

/// An answer with its body read as JSON, where it is JSON.
public struct JSONAnswer: Sendable {
    /// The three digits of the status line.
    public var status: Int
    /// As it came.
    public var response: HTTPResponse
    /// `nil` when the body is empty or is not JSON: some services answer errors in XML.
    public var json: JSON?

    /// A member of the body, where that is an object.
    public subscript(key: String) -> JSON? { json?[key] }
}

extension ProviderContext {
    /// Sends JSON and reads JSON.
    /// - Throws: the transport's error, unchanged; what an answer means is the module's matter.
    public func exchange(
        _ method: String, _ url: String, headers: [(name: String, value: String)] = [], body: JSON? = nil
    ) async throws(TransportError) -> JSONAnswer {
        var headers = headers + [("Accept", "application/json")]
        if body != nil { headers.append(("Content-Type", "application/json")) }
        return try await answer(HTTPRequest(method, url, headers: headers, body: body?.bytes ?? [], deadline: deadline))
    }

    /// Posts a form (`application/x-www-form-urlencoded`) and reads JSON.
    public func post(
        form: [(name: String, value: String)], to url: String, headers: [(name: String, value: String)] = []
    ) async throws(TransportError) -> JSONAnswer {
        let body = form.map { "\(percentEncoded($0.name))=\(percentEncoded($0.value))" }.joined(separator: "&")
        let headers = headers + [("Accept", "application/json"), ("Content-Type", "application/x-www-form-urlencoded")]
        return try await answer(HTTPRequest("POST", url, headers: headers, body: Array(body.utf8), deadline: deadline))
    }

    private func answer(_ request: HTTPRequest) async throws(TransportError) -> JSONAnswer {
        let response = try await transport.send(request)
        return JSONAnswer(status: response.status, response: response, json: try? JSON(parsing: response.body))
    }
}
