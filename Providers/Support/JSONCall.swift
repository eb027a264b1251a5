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

/// `text` for one part of a URL: all but `A–Z a–z 0–9 - . _ ~` percent-encoded (RFC 3986 §2.3).
public func percentEncoded(_ text: String) -> String {
    let hex = Array("0123456789ABCDEF".utf8)
    var out: [UInt8] = []
    for byte in text.utf8 {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "0")...UInt8(ascii: "9"),
            UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: "~"):
            out.append(byte)
        default: out += [UInt8(ascii: "%"), hex[Int(byte >> 4)], hex[Int(byte & 15)]]
        }
    }
    return String(decoding: out, as: UTF8.self)
}
