import CLibCurl
import Foundation
import UsherCore

/// One libcurl handle and its connection, used by one thread.
///
/// What libcurl would let pass and we do not: a relay that offers no AUTH gets no mail when we have credentials (libcurl would
/// send without), and `USE_SSL` is never "try". Source: https://curl.se/libcurl/c/libcurl-errors.html and the libcurl options'
/// own pages.
final class SMTPSession {
    private let address: SMTPAddress
    private let handle: OpaquePointer?
    private var transfer = Transfer()

    /// What the callbacks see of the transfer under way.
    private struct Transfer {
        var bytes: [UInt8] = []
        var sent = 0
        /// Signed in on the connection in use.
        var isSignedIn = false
        var needsSignIn = false
        var lastLine = ""
        var wasAborted = false
        /// The next 250 is the answer to EHLO.
        var isGreeting = false
        /// The relay took the sender: what it refuses from then on is the recipient or the mail.
        var tookSender = false
    }

    private static let start: Void = { _ = curl_global_init(Int(CURL_GLOBAL_DEFAULT)) }()

    init(_ address: SMTPAddress) {
        Self.start
        self.address = address
        handle = curl_easy_init().map { OpaquePointer($0) }
    }

    deinit { if let handle { curl_easy_cleanup(UnsafeMutableRawPointer(handle)) } }

    /// - Parameter limit: for all of it, the connection included.
    func deliver(_ mail: OutgoingMail, within limit: Duration) -> DeliveryOutcome {
        guard let curl = prepared(min(limit, Self.longestDelivery)) else { return .later("libcurl could not be started") }
        transfer.bytes = mail.bytes
        usher_curl_set_string(curl, CURLOPT_MAIL_FROM, mail.sender)
        let recipients = curl_slist_append(nil, mail.recipient)
        defer { curl_slist_free_all(recipients) }
        usher_curl_set_pointer(curl, CURLOPT_MAIL_RCPT, recipients)
        usher_curl_set_long(curl, CURLOPT_UPLOAD, 1)
        return outcome(perform(curl))
    }

    func probe() -> String? {
        guard let curl = prepared(Self.longestDelivery) else { return "libcurl could not be started" }
        usher_curl_set_long(curl, CURLOPT_CONNECT_ONLY, 1)
        let result = perform(curl)
        if result.code != CURLE_OK { return describe(result) }
        return transfer.needsSignIn && !transfer.isSignedIn ? Self.noSignIn : nil
    }

    private static let noSignIn = "the relay offers no way to sign in, and mail is not sent without; check port and tls in SMTP_URL"

    // MARK: libcurl

    private typealias Result = (code: CURLcode, response: Int, text: String)

    private static let longestDelivery = Duration.seconds(30)

    private func prepared(_ limit: Duration) -> UnsafeMutableRawPointer? {
        guard let handle else { return nil }
        let curl = UnsafeMutableRawPointer(handle)
        curl_easy_reset(curl)
        let scheme = address.security == .implicit ? "smtps" : "smtp"
        let host = address.host.contains(":") && !address.host.hasPrefix("[") ? "[\(address.host)]" : address.host
        usher_curl_set_string(curl, CURLOPT_URL, "\(scheme)://\(host):\(address.port)")
        usher_curl_set_string(curl, CURLOPT_PROTOCOLS_STR, "smtp,smtps")
        usher_curl_set_long(curl, CURLOPT_NOSIGNAL, 1)
        usher_curl_set_long(curl, CURLOPT_CONNECTTIMEOUT, 10)
        usher_curl_set_long(curl, CURLOPT_TIMEOUT_MS, Int(limit.microseconds / 1_000))
        if address.security == .required { usher_curl_set_long(curl, CURLOPT_USE_SSL, Int(CURLUSESSL_ALL.rawValue)) }
        if let user = address.user, let password = address.password {
            usher_curl_set_string(curl, CURLOPT_USERNAME, user)
            usher_curl_set_string(curl, CURLOPT_PASSWORD, password.reveal())
        }
        transfer.sent = 0
        transfer.wasAborted = false
        transfer.lastLine = ""
        transfer.tookSender = false
        transfer.needsSignIn = address.user != nil
        let context = Unmanaged.passUnretained(self).toOpaque()
        usher_curl_set_reader(curl, { buffer, size, count, context in SMTPSession.of(context).read(buffer, size * count) }, context)
        usher_curl_set_header_reader(curl, { line, size, count, context in SMTPSession.of(context).hear(line, size * count) }, context)
        return curl
    }

    private func perform(_ curl: UnsafeMutableRawPointer) -> Result {
        var message = [CChar](repeating: 0, count: Int(CURL_ERROR_SIZE))
        let code = message.withUnsafeMutableBufferPointer { buffer in
            usher_curl_set_pointer(curl, CURLOPT_ERRORBUFFER, buffer.baseAddress)
            defer { usher_curl_set_pointer(curl, CURLOPT_ERRORBUFFER, nil) }
            return curl_easy_perform(curl)
        }
        let text = String(decoding: message.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
        return (code, Int(usher_curl_response_code(curl)), text.isEmpty ? String(cString: curl_easy_strerror(code)) : text)
    }

    private static func of(_ context: UnsafeMutableRawPointer?) -> SMTPSession {
        Unmanaged<SMTPSession>.fromOpaque(context!).takeUnretainedValue()
    }

    /// libcurl asks for the message only after the relay's 354: the last moment to hold it back.
    private func read(_ buffer: UnsafeMutablePointer<CChar>?, _ room: Int) -> Int {
        guard !transfer.needsSignIn || transfer.isSignedIn else {
            transfer.wasAborted = true
            return Int(CURL_READFUNC_ABORT)
        }
        let count = min(room, transfer.bytes.count - transfer.sent)
        guard count > 0, let buffer else { return 0 }
        transfer.bytes[transfer.sent..<transfer.sent + count].withUnsafeBytes { part in
            UnsafeMutableRawBufferPointer(start: buffer, count: count).copyMemory(from: part)
        }
        transfer.sent += count
        return count
    }

    /// Each line that the relay says.
    private func hear(_ line: UnsafeMutablePointer<CChar>?, _ length: Int) -> Int {
        guard let line else { return length }
        let bytes = UnsafeRawBufferPointer(start: line, count: length)
        let text = String(decoding: bytes, as: UTF8.self).trimmingBlanks
        // After a refusal comes a farewell; the refusal is what matters.
        if !text.hasPrefix("2") || !transfer.lastLine.hasPrefix("5") && !transfer.lastLine.hasPrefix("4") {
            transfer.lastLine = String(text.prefix(300))
        }
        if text.hasPrefix("220") { (transfer.isSignedIn, transfer.isGreeting) = (false, true) }
        if text.hasPrefix("250"), !text.hasPrefix("250-") {
            if transfer.isGreeting { transfer.isGreeting = false } else { transfer.tookSender = true }
        }
        if text.hasPrefix("235") { transfer.isSignedIn = true }
        return length
    }

    // MARK: Outcomes

    private func outcome(_ result: Result) -> DeliveryOutcome {
        if transfer.wasAborted { return .later(Self.noSignIn) }
        if result.code == CURLE_OK { return .accepted }
        let reason = describe(result)
        if result.response == 354 { return .unclear(reason) }
        let isAboutMail = result.code == CURLE_SEND_ERROR || (result.code == CURLE_WEIRD_SERVER_REPLY && transfer.sent > 0)
        // Before that, a refusal is about us: the admin mends the relay or SMTP_URL, and the mail goes out after all.
        return isAboutMail && transfer.tookSender && result.response >= 500 ? .refused(reason) : .later(reason)
    }

    private func describe(_ result: Result) -> String {
        switch result.code {
        case CURLE_LOGIN_DENIED where !transfer.lastLine.hasPrefix("5") && !transfer.lastLine.hasPrefix("4"): Self.noSignIn
        case CURLE_LOGIN_DENIED: "the relay refuses user and password in SMTP_URL: \(transfer.lastLine)"
        case CURLE_USE_SSL_FAILED: "the relay offers no TLS, and nothing is sent without; check port and tls in SMTP_URL"
        case CURLE_COULDNT_RESOLVE_HOST: "the relay's name \(address.host) is not known; check SMTP_URL"
        case CURLE_COULDNT_CONNECT: "the relay at \(address.host):\(address.port) takes no connection: \(result.text)"
        case CURLE_PEER_FAILED_VERIFICATION: "the relay's certificate cannot be trusted: \(result.text)"
        // "RCPT failed: 550", and the relay's line begins with the same.
        case _ where !transfer.lastLine.isEmpty && result.text.hasSuffix(": \(transfer.lastLine.prefix(3))"):
            result.text.dropLast(3) + transfer.lastLine
        default: transfer.lastLine.isEmpty ? result.text : "\(result.text) (\(transfer.lastLine))"
        }
    }
}
