import UsherCore

/// What a meeting type says of recordings and of the assistant's summary. What is not sent follows the host's account, so all that is
/// said is sent, and read back: an account may have locked a setting.
/// Source: https://developers.zoom.us/docs/api/meetings/#tag/meetings/POST/users/{userId}/meetings (`settings`)
struct ZoomPolicy {
    private let options: MeetingOptions

    init(_ options: MeetingOptions) { self.options = options }

    /// Zoom mails nobody, and writes into no calendar: that is ours to do.
    static let silence: [JSON.Member] = [
        .init("email_notification", false), .init("alternative_hosts_email_notification", false), .init("push_change_to_calendar", false),
    ]

    var members: [JSON.Member] {
        var members: [JSON.Member] = []
        if let recording { members.append(.init("auto_recording", .string(recording))) }
        if let summary = options.summary {
            members.append(.init("auto_start_meeting_summary", .bool(summary)))
            // Questions to the assistant are answered out of what it has heard.
            if !summary { members.append(.init("auto_start_ai_companion_questions", false)) }
        }
        return members
    }

    private var recording: String? {
        switch options.recording {
        case .off: "none"
        case .local, .cloud: options.recording?.rawValue
        case .inherit, nil: nil
        }
    }

    /// What the account has made otherwise, a sentence each.
    func differences(_ settings: JSON?) -> [String] {
        members.compactMap { member in
            guard let present = settings?[member.key], present != member.value else { return nil }
            return
                "Zoom keeps \(member.key) at \(present.string ?? present.serialized), though \(member.value.string ?? member.value.serialized) was asked: the account has locked it."
        }
    }
}
