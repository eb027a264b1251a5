import Foundation

/// Reads a date of an HTTP header: `Sun, 06 Nov 1994 08:49:37 GMT` (RFC 9110 §5.6.7).
public func httpDate(_ text: String) -> Instant? {
    let parts = text.split(separator: " ")
    let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
    guard parts.count == 6, let month = months.firstIndex(of: String(parts[2])), parts[5] == "GMT" else { return nil }
    let written = "\(parts[3])-\(padded(Int64(month + 1), 2))-\(parts[1])T\(parts[4])Z"
    guard case .instant(let instant)? = WrittenTime(written) else { return nil }
    return instant
}

/// Reads `Retry-After` in any of the forms that services send: an ISO 8601 date-time (Zoom's daily limit), an HTTP date, or seconds.
public func retryAfter(_ text: String?, now: Instant) -> Instant? {
    guard let text else { return nil }
    if case .instant(let instant)? = WrittenTime(text) { return instant }
    if let instant = httpDate(text) { return instant }
    return Int64(text).map { now + .seconds(min(max($0, 0), 7 * 86_400)) }
}
