import Foundation
import UsherCore

/// The rules of request fields.
enum ZoomFields {
    private static let known: Set<String> = [
        "topic", "type", "start_time", "timezone", "duration", "password", "default_password", "agenda", "schedule_for", "template_id",
        "pre_schedule", "tracking_fields", "recurrence", "settings",
    ]
    private static let flags: Set<String> = [
        "host_video", "participant_video", "join_before_host", "waiting_room", "meeting_authentication",
        "alternative_hosts_email_notification",
        "email_notification", "registrants_email_notification", "private_meeting", "internal_meeting", "mute_upon_entry", "use_pmi",
        "show_share_button", "close_registration", "allow_multiple_devices", "auto_start_meeting_summary",
        "auto_start_ai_companion_questions", "push_change_to_calendar",
    ]

    /// The first field that Zoom would refuse.
    static func invalid(_ body: JSON, patch: Bool) -> String? {
        guard let members = body.members else { return "body" }
        for member in members {
            let value = member.value
            let isFine: Bool
            switch member.key {
            case "topic": isFine = value.string.map { $0.utf16.count <= 200 } ?? false
            case "agenda": isFine = value.string.map { $0.utf16.count <= 2_000 } ?? false
            case "type": isFine = value.int.map { [1, 2, 3, 8, 10].contains($0) } ?? false
            case "duration": isFine = value.int.map { $0 > 0 && $0 <= 1_440 } ?? false
            case "start_time": isFine = value.string?.wholeMatch(of: /\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ?/) != nil
            case "timezone": isFine = value.string.flatMap { TimeZone(iana: $0) } != nil
            case "password": isFine = value.string?.wholeMatch(of: /[A-Za-z0-9@_*!#-]{0,10}/) != nil
            case "default_password": isFine = !patch && value.bool != nil
            case "settings": isFine = value.members?.allSatisfy { isFineSetting($0) } ?? false
            default: isFine = known.contains(member.key)
            }
            if !isFine { return member.key }
        }
        return nil
    }

    private static func isFineSetting(_ member: JSON.Member) -> Bool {
        switch member.key {
        case "alternative_hosts", "contact_email", "contact_name": member.value.string != nil
        case "audio": ["both", "telephony", "voip", "thirdParty"].contains(member.value.string)
        case "auto_recording": ["local", "cloud", "none"].contains(member.value.string)
        case "approval_type": member.value.int.map { (0...2).contains($0) } ?? false
        case "jbh_time": member.value.int.map { [0, 5, 10, 15].contains($0) } ?? false
        default: flags.contains(member.key) && member.value.bool != nil
        }
    }
}
