import Synchronization
import UsherCore

/// One calendar with one event, or none.
package final class DAVStandIn: Transport {
    private let state: Mutex<(text: String?, version: Int)>

    package init(_ text: String) { state = Mutex((text, 1)) }

    package func hold(_ text: String?) { state.withLock { $0 = (text, $0.version + 1) } }

    package func send(_ request: HTTPRequest) async throws(TransportError) -> HTTPResponse {
        let (text, version) = state.withLock { $0 }
        let found = """
            <response><href>/cleo/</href><propstat><prop><resourcetype><collection/><c:calendar/></resourcetype>
            <s:getctag>v\(version)</s:getctag></prop><status>HTTP/1.1 200 OK</status></propstat></response>
            """
        let event = text.map {
            "<response><href>/cleo/x.ics</href><propstat><prop><c:calendar-data>\($0)</c:calendar-data></prop><status>HTTP/1.1 200 OK</status></propstat></response>"
        }
        let body = """
            <multistatus xmlns="DAV:" xmlns:c="urn:ietf:params:xml:ns:caldav" xmlns:s="http://calendarserver.org/ns/">
            \(request.method == "PROPFIND" ? found : event ?? "")</multistatus>
            """
        return HTTPResponse(status: 207, body: Array(body.utf8))
    }
}
