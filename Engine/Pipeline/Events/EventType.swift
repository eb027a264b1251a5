import UsherCore

/// What webhooks tell of.
package enum EventType: String, Sendable, CaseIterable {
    case bookingConfirmed = "booking.confirmed"
    case bookingRescheduled = "booking.rescheduled"
    case bookingCancelled = "booking.cancelled"
    /// The room is there, at the booking's present time: told again after a reschedule, because the meeting was pending meanwhile.
    case meetingReady = "meeting.ready"
    /// The way in is another one: link, passcode or numbers.
    case meetingChanged = "meeting.changed"
    /// A person must act.
    case meetingBlocked = "meeting.blocked"
    /// Only a retry or healing helps.
    case meetingFailed = "meeting.failed"
    case connectionConnected = "connection.connected"
    case connectionNeedsAttention = "connection.needs-attention"
    case connectionRemoved = "connection.removed"
    /// A time that was held is free again, and was not booked.
    case holdExpired = "hold.expired"
    /// A calendar cannot be read, and its owner is offered to nobody unless that ends.
    case calendarNeedsAttention = "calendar.needs-attention"

    /// What has happened between two states of a booking, in the order in which it is told.
    static func between(_ old: Booking?, _ new: Booking) -> [EventType] {
        guard let old else { return [.bookingConfirmed] + meeting(nil, new.meeting) }
        if new.status == .cancelled { return old.status == .cancelled ? [] : [.bookingCancelled] }
        return (old.start != new.start || old.end != new.end ? [.bookingRescheduled] : []) + meeting(old.meeting, new.meeting)
    }

    private static func meeting(_ old: Meeting?, _ new: Meeting) -> [EventType] {
        let isChanged = old?.room.map { before in new.room.map { $0 != before } ?? false } ?? false
        return (isChanged ? [.meetingChanged] : []) + status(old, new)
    }

    private static func status(_ old: Meeting?, _ new: Meeting) -> [EventType] {
        guard old?.status != new.status || old?.problem?.code != new.problem?.code else { return [] }
        switch new.status {
        case .ready: return old?.status == .ready ? [] : [.meetingReady]
        case .blocked: return [.meetingBlocked]
        case .failed: return [.meetingFailed]
        case .pending, .onJoin, .cancelled: return []
        }
    }
}
