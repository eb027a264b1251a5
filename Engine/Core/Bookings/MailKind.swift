/// What a mail about a booking is for.
package enum MailKind: String, Sendable, CaseIterable { case confirmation, update, cancellation, reminder }
