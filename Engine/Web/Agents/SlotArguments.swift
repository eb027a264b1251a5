import Foundation
import UsherCore
import UsherPipeline

/// What free times are asked for.
struct SlotArguments: JSONRequest {
    var question: SlotService.Question
    private var from: String?
    private var to: String?
    private var timeZone: String?

    static let schemaName = "SlotArguments"
    init(_ reader: inout JSONReader) {
        question = SlotService.Question(
            meetingType: reader.required("meetingType", "The id of a meeting type with slots."),
            owner: reader.text("owner", "An owner's id; whoever hosts the meeting type where it is not given."),
            duration: reader.text("duration", "One of the meeting type's; its first where it is not given."))
        from = reader.text("from", "A date or a time; now where it is not given.")
        to = reader.text("to", "A date, which is whole, or a time; seven days later where it is not given.")
        timeZone = reader.text("timeZone", "IANA name: in which dates are read and slots are written.")
    }

    /// - Throws: ``ErrorCode/validationFailed``
    func range(now: Instant) throws -> (from: Instant, to: Instant, zone: TimeZone?) {
        var fields = QueryFields(
            [("from", from), ("to", to), ("timeZone", timeZone)].compactMap { name, value in value.map { (name, $0) } })
        let zone = fields.zone("timeZone")
        let range = fields.range(zone ?? .gmt, now: now, usual: SlotRoutes.usualDays, most: SlotRoutes.mostDays)
        try fields.check()
        return (range.from, range.to, zone)
    }
}
