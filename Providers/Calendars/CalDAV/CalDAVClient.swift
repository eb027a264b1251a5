import Foundation
import ProviderSupport
import UsherCore

/// Calls a CalDAV server with the owner's name and password (RFC 4791, RFC 4918).
struct CalDAVClient {
    let context: BusyContext
    /// As the owner gave it.
    let home: CalendarAddress

    private static let mostRedirects = 5

    init(_ context: BusyContext) throws(ProviderError) {
        self.context = context
        home = try CalendarAddress(context.address.reveal())
    }

    /// An answer, and where it came from after redirects.
    struct Answer {
        var response: HTTPResponse
        var from: CalendarAddress

        func multiStatus(_ operation: String) throws(ProviderError) -> MultiStatus {
            guard response.status == 207, let parsed = MultiStatus(response.body) else {
                throw CalendarErrors.unreadable("the CalDAV server", CalendarProblem("it is no answer of CalDAV"), operation)
            }
            return parsed
        }
    }

    /// Sends a request, and follows redirects to hosts that the owner's credentials may go to.
    /// - Parameter body: XML.
    func send(_ method: String, _ address: CalendarAddress, depth: Int, body: String) async throws(ProviderError) -> Answer {
        let pair = Data("\(context.user):\(context.password.reveal())".utf8).base64EncodedString()
        let headers = [
            ("Authorization", "Basic \(pair)"), ("Depth", "\(depth)"), ("Content-Type", "application/xml; charset=utf-8"),
            ("User-Agent", "Usher/\(UsherVersion.number)"),
        ]
        let text = "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n" + body
        var address = address
        for _ in 0...Self.mostRedirects {
            guard home.trusts(address) else {
                throw CalendarErrors.rejected(
                    "The CalDAV server leads to another host, \(address.url.host() ?? "").",
                    remedy: "Connect the calendar with that host's address, if it is the right one.")
            }
            let response: HTTPResponse
            do throws(TransportError) {
                response = try await context.call.transport.send(
                    HTTPRequest(method, address.text, headers: headers, body: Array(text.utf8), deadline: context.call.deadline))
            } catch { throw .unreachable("The CalDAV server", error, operation: method, changes: false) }
            guard [301, 302, 307, 308].contains(response.status), let next = response.header("location").flatMap(address.resolving) else {
                return Answer(response: response, from: address)
            }
            address = next
        }
        throw CalendarErrors.rejected("The CalDAV server leads in a circle.", remedy: "Check the address.")
    }

    /// The same, where anything but a success is an error.
    func multiStatus(
        _ method: String, _ address: CalendarAddress, depth: Int, body: String
    ) async throws(ProviderError) -> (MultiStatus, from: CalendarAddress) {
        let answer = try await send(method, address, depth: depth, body: body)
        if let error = CalendarErrors.meaning(answer.response, "The CalDAV server", method, now: context.call.environment.now()) {
            throw error
        }
        return (try answer.multiStatus(method), answer.from)
    }
}
