import Foundation
import ProviderSupport
import UsherCore

/// `ics`: a calendar that is published as a file at a secret address (RFC 5545), read by conditional requests (RFC 9110 §13).
/// Source: https://www.rfc-editor.org/rfc/rfc7986#section-5.7 for how often
public enum FeedSource: BusySource {
    /// What this source is.
    public static let descriptor = BusySourceDescriptor(
        kind: "ics", name: "Calendar feed", connection: .address, interval: .minutes(15))

    private static let operation = "GET calendar"
    private static let mostRedirects = 5

    /// The one that the address leads to.
    public static func calendars(_ context: BusyContext) async throws(ProviderError) -> [FoundCalendar] {
        let question = BusyQuestion(
            calendar: "", from: context.call.environment.now(), to: context.call.environment.now() + .days(1), timeZone: "UTC")
        let reading = try await read(try await get(context, mark: nil).body, question)
        return [FoundCalendar(id: "", name: reading.name, counts: true)]
    }

    /// All of the file, unless it is the one that was read before.
    public static func busy(_ question: BusyQuestion, _ context: BusyContext) async throws(ProviderError) -> BusyAnswer {
        let known = question.mark.flatMap(Mark.init)
        let answer = try await get(context, mark: known)
        if let known, answer.status == 304 { return .unchanged(mark: known.text) }
        let mark = Mark(tag: answer.header("etag"), date: answer.header("last-modified"), digest: digest(answer.body))
        if let known, known.digest == mark.digest { return .unchanged(mark: mark.text) }
        let reading = try await read(answer.body, question)
        return .events(reading.events, mark: mark.text, next: reading.refreshInterval)
    }

    private static func read(_ body: [UInt8], _ question: BusyQuestion) async throws(ProviderError) -> CalendarText.Reading {
        do throws(CalendarProblem) {
            return try await CalendarText.read(
                [body], from: question.from, to: question.to, timeZone: question.timeZone, addresses: question.addresses)
        } catch { throw CalendarErrors.unreadable("the calendar feed", error, operation) }
    }

    /// Follows redirects, which publishers answer; the address carries no credentials that could go astray.
    private static func get(_ context: BusyContext, mark: Mark?) async throws(ProviderError) -> HTTPResponse {
        var address = try CalendarAddress(context.address.reveal())
        var headers = [("Accept", "text/calendar, */*;q=0.5"), ("User-Agent", "Usher/\(UsherVersion.number)")]
        if let tag = mark?.tag { headers.append(("If-None-Match", tag)) }
        if let date = mark?.date { headers.append(("If-Modified-Since", date)) }
        for _ in 0...mostRedirects {
            let answer: HTTPResponse
            do throws(TransportError) {
                answer = try await context.call.transport.send(
                    HTTPRequest("GET", address.text, headers: headers, deadline: context.call.deadline))
            } catch { throw .unreachable("The calendar feed", error, operation: operation, changes: false) }
            guard [301, 302, 303, 307, 308].contains(answer.status), let next = answer.header("location").flatMap(address.resolving) else {
                if (300..<304).contains(answer.status) || [307, 308].contains(answer.status) {
                    throw CalendarErrors.rejected(
                        "The address leads on to one that is not called over https.", remedy: "Use the address that it leads to.")
                }
                if let error = CalendarErrors.meaning(answer, "The calendar feed", operation, now: context.call.environment.now()) {
                    throw error
                }
                return answer
            }
            address = next
        }
        throw CalendarErrors.rejected("The address leads in a circle.", remedy: "Copy it again from the calendar's settings.")
    }

    /// What tells one version of a file from another.
    private struct Mark: SourceMark {
        var tag: String?
        var date: String?
        var digest: String

        init(tag: String?, date: String?, digest: String) {
            self.tag = tag
            self.date = date
            self.digest = digest
        }
    }
}
