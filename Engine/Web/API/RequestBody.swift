import Hummingbird
import NIOCore
import UsherCore

extension Request {
    static var bodyLimit: Int { 1 << 20 }

    /// The whole body, at most 1 MiB.
    /// - Throws: ``ErrorCode/payloadTooLarge``.
    func wholeBody() async throws -> ByteBuffer {
        var request = self
        do { return try await request.collectBody(upTo: Self.bodyLimit) } catch is NIOTooManyBytesError {
            throw Self.tooLarge
        }
    }

    /// Of the body, in small letters and without parameters.
    var mediaType: String? { headers[.contentType]?.split(separator: ";").first?.trimmingBlanks.lowercased() }

    static var tooLarge: UsherError { UsherError(.payloadTooLarge, "The body has more than 1 MiB.") }

    func bodyBytes() async throws -> [UInt8] { Array(try await wholeBody().readableBytesView) }

    /// The body as a JSON object.
    func jsonObject(_ body: [UInt8]) throws -> JSON {
        guard mediaType == "application/json" else {
            throw UsherError(.requestMediaType, "Send JSON, with Content-Type: application/json.")
        }
        do {
            let json = try JSON(parsing: body)
            if json.members != nil { return json }
        } catch { throw UsherError(.requestMalformed, "The body is not JSON: \(error).") }
        throw UsherError(.requestMalformed, "The body is not a JSON object.")
    }
}
