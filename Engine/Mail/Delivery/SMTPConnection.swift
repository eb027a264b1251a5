import CLibCurl
import Foundation
import UsherCore

/// A connection to a relay as libcurl makes it: greeting, EHLO, TLS and signing in are done. What follows is said over it line by line.
///
/// What libcurl would let pass and we do not: a relay that offers no AUTH gets no mail when we have credentials (libcurl would send
/// without), and `USE_SSL` is never "try". Source: https://curl.se/libcurl/c/libcurl-errors.html,
/// https://curl.se/libcurl/c/CURLOPT_CONNECT_ONLY.html
final class SMTPConnection {
    private let handle: UnsafeMutableRawPointer
    private var received: [UInt8] = []
    /// Whether commands may be sent before the answers to those before have come. Source: https://www.rfc-editor.org/rfc/rfc2920
    let isPipelined: Bool
    let takesUTF8: Bool

    private static let start: Void = { _ = curl_global_init(Int(CURL_GLOBAL_DEFAULT)) }()

    /// - Parameters:
    ///   - token: signs us in, in place of a password.
    ///   - limit: for connecting, negotiating and signing in.
    /// - Throws: ``SMTPFailure``
    init(_ address: SMTPAddress, token: Secret? = nil, within limit: Duration) throws(SMTPFailure) {
        Self.start
        guard let curl = curl_easy_init() else { throw SMTPFailure("libcurl could not be started") }
        let heard = Heard()
        Self.prepare(curl, address, token, limit, heard)
        let failure = Self.connect(curl).map { Self.describe($0, heard.lastLine, address) }
        let mayNotSend = address.user != nil && !heard.isSignedIn
        guard failure == nil, !mayNotSend else {
            curl_easy_cleanup(curl)
            throw failure ?? SMTPFailure(Self.noSignIn)
        }
        handle = curl
        isPipelined = heard.extensions.contains("PIPELINING")
        takesUTF8 = heard.extensions.contains("SMTPUTF8")
    }

    deinit { curl_easy_cleanup(handle) }

    static let noSignIn = "the relay offers no way to sign in, and mail is not sent without; check port and tls in SMTP_URL"

    // MARK: The dialogue

    /// Sends all of it.
    func send(_ bytes: [UInt8], until deadline: ContinuousClock.Instant) throws(SMTPFailure) {
        var sent = 0
        while sent < bytes.count {
            var count = 0
            let code = bytes[sent...].withUnsafeBytes { curl_easy_send(handle, $0.baseAddress, $0.count, &count) }
            sent += count
            switch code {
            case CURLE_OK: continue
            case CURLE_AGAIN: try wait(Int16(POLLOUT), until: deadline)
            default: throw SMTPFailure(String(cString: curl_easy_strerror(code)))
            }
        }
    }

    /// The relay's next reply, the last of its lines.
    func reply(until deadline: ContinuousClock.Instant) throws(SMTPFailure) -> SMTPReply {
        while true {
            while let end = received.firstRange(of: Array("\r\n".utf8)) {
                let line = String(decoding: received[..<end.lowerBound], as: UTF8.self)
                received.removeSubrange(..<end.upperBound)
                guard let reply = SMTPReply(line) else { throw SMTPFailure("the relay said '\(line.prefix(80))', which is no answer") }
                if reply.isLast { return reply }
            }
            guard received.count < 64 << 10 else { throw SMTPFailure("the relay's answer does not end") }
            try receive(until: deadline)
        }
    }

    private func receive(until deadline: ContinuousClock.Instant) throws(SMTPFailure) {
        var buffer = [UInt8](repeating: 0, count: 4_096)
        while true {
            var count = 0
            let code = curl_easy_recv(handle, &buffer, buffer.count, &count)
            switch code {
            case CURLE_OK where count > 0: return received += buffer[..<count]
            case CURLE_OK: throw SMTPFailure("the relay closed the connection")
            case CURLE_AGAIN: try wait(Int16(POLLIN), until: deadline)
            default: throw SMTPFailure(String(cString: curl_easy_strerror(code)))
            }
        }
    }

    private func wait(_ events: Int16, until deadline: ContinuousClock.Instant) throws(SMTPFailure) {
        var descriptor = pollfd(fd: usher_curl_active_socket(handle), events: events, revents: 0)
        while true {
            let left = deadline - .now
            guard left > .zero else { throw SMTPFailure("the relay did not answer in time") }
            if poll(&descriptor, 1, Int32(left.microseconds / 1_000) + 1) > 0 { return }
        }
    }

    // MARK: Connecting

    /// What libcurl's callback hears of the relay while it connects.
    private final class Heard {
        var isSignedIn = false
        var lastLine = ""
        var extensions: Set<String> = []

        func hear(_ text: String) {
            // After a refusal comes a farewell; the refusal is what matters.
            if !text.hasPrefix("2") || !lastLine.hasPrefix("5") && !lastLine.hasPrefix("4") { lastLine = String(text.prefix(300)) }
            // What was offered before TLS does not count after it.
            if text.hasPrefix("220") { (isSignedIn, extensions) = (false, []) }
            if text.hasPrefix("250"), let word = text.dropFirst(4).split(separator: " ").first { extensions.insert(word.uppercased()) }
            if text.hasPrefix("235") { isSignedIn = true }
        }
    }

    private static func prepare(
        _ curl: UnsafeMutableRawPointer, _ address: SMTPAddress, _ token: Secret?, _ limit: Duration, _ heard: Heard
    ) {
        let scheme = address.security == .implicit ? "smtps" : "smtp"
        let host = address.host.contains(":") && !address.host.hasPrefix("[") ? "[\(address.host)]" : address.host
        usher_curl_set_string(curl, CURLOPT_URL, "\(scheme)://\(host):\(address.port)")
        usher_curl_set_string(curl, CURLOPT_PROTOCOLS_STR, "smtp,smtps")
        usher_curl_set_long(curl, CURLOPT_NOSIGNAL, 1)
        usher_curl_set_long(curl, CURLOPT_CONNECT_ONLY, 1)
        usher_curl_set_long(curl, CURLOPT_CONNECTTIMEOUT, 10)
        usher_curl_set_long(curl, CURLOPT_TIMEOUT_MS, max(1, Int(limit.microseconds / 1_000)))
        if address.security == .required { usher_curl_set_long(curl, CURLOPT_USE_SSL, Int(CURLUSESSL_ALL.rawValue)) }
        if let user = address.user, let token {
            usher_curl_set_string(curl, CURLOPT_USERNAME, user)
            usher_curl_set_string(curl, CURLOPT_XOAUTH2_BEARER, token.reveal())
            usher_curl_set_long(curl, CURLOPT_SASL_IR, 1)
            // Without it libcurl would try PLAIN, with an empty password.
            usher_curl_set_string(curl, CURLOPT_LOGIN_OPTIONS, "AUTH=XOAUTH2")
        } else if let user = address.user, let password = address.password {
            usher_curl_set_string(curl, CURLOPT_USERNAME, user)
            usher_curl_set_string(curl, CURLOPT_PASSWORD, password.reveal())
        }
        usher_curl_set_header_reader(
            curl,
            { line, size, count, context in
                guard let line, let context else { return size * count }
                let text = String(decoding: UnsafeRawBufferPointer(start: line, count: size * count), as: UTF8.self).trimmingBlanks
                Unmanaged<Heard>.fromOpaque(context).takeUnretainedValue().hear(text)
                return size * count
            }, Unmanaged.passUnretained(heard).toOpaque())
    }

    /// - Returns: what went wrong; `nil` for nothing.
    private static func connect(_ curl: UnsafeMutableRawPointer) -> (code: CURLcode, text: String)? {
        var message = [CChar](repeating: 0, count: Int(CURL_ERROR_SIZE))
        let code = message.withUnsafeMutableBufferPointer { buffer in
            usher_curl_set_pointer(curl, CURLOPT_ERRORBUFFER, buffer.baseAddress)
            defer {
                usher_curl_set_pointer(curl, CURLOPT_ERRORBUFFER, nil)
                usher_curl_set_header_reader(curl, { _, size, count, _ in size * count }, nil)
            }
            return curl_easy_perform(curl)
        }
        if code == CURLE_OK { return nil }
        let text = String(decoding: message.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
        return (code, text.isEmpty ? String(cString: curl_easy_strerror(code)) : text)
    }

    private static func describe(_ failure: (code: CURLcode, text: String), _ lastLine: String, _ address: SMTPAddress) -> SMTPFailure {
        let isRefusal = ["334", "5"].contains { lastLine.hasPrefix($0) }
        if failure.code == CURLE_LOGIN_DENIED, address.authorization != nil, isRefusal {
            return SMTPFailure("the relay refuses the token: \(said(lastLine))", isTokenRefused: true)
        }
        return SMTPFailure(reason(failure, lastLine, address))
    }

    /// A relay that wants no token says why in base64, and waits for an empty line that libcurl does not send.
    private static func said(_ line: String) -> String {
        guard line.hasPrefix("334 "), let data = Data(base64Encoded: String(line.dropFirst(4))) else { return line }
        return String(decoding: data, as: UTF8.self)
    }

    private static func reason(_ failure: (code: CURLcode, text: String), _ lastLine: String, _ address: SMTPAddress) -> String {
        switch failure.code {
        case CURLE_LOGIN_DENIED where !lastLine.hasPrefix("5") && !lastLine.hasPrefix("4"): noSignIn
        case CURLE_LOGIN_DENIED: "the relay refuses user and password in SMTP_URL: \(lastLine)"
        case CURLE_USE_SSL_FAILED: "the relay offers no TLS, and nothing is sent without; check port and tls in SMTP_URL"
        case CURLE_COULDNT_RESOLVE_HOST: "the relay's name \(address.host) is not known; check SMTP_URL"
        case CURLE_COULDNT_CONNECT: "the relay at \(address.host):\(address.port) takes no connection: \(failure.text)"
        case CURLE_PEER_FAILED_VERIFICATION: "the relay's certificate cannot be trusted: \(failure.text)"
        default: lastLine.isEmpty ? failure.text : "\(failure.text) (\(lastLine))"
        }
    }
}

/// Why a relay could not be talked to.
struct SMTPFailure: Error {
    var reason: String
    /// The relay knows the way to sign in, and does not take the token.
    var isTokenRefused = false
    init(_ reason: String, isTokenRefused: Bool = false) { (self.reason, self.isTokenRefused) = (reason, isTokenRefused) }
}

/// A line of a relay's answer: `250 Ok`. Source: https://www.rfc-editor.org/rfc/rfc5321#section-4.2
struct SMTPReply {
    let code: Int
    /// As it was said.
    let line: String
    /// Whether no other line belongs to it.
    let isLast: Bool

    init?(_ line: String) {
        guard let code = Int(line.prefix(3)), line.utf8.count >= 3, (200...599).contains(code) else { return nil }
        self.code = code
        self.line = String(line.prefix(300)).trimmingBlanks
        isLast = line.utf8.dropFirst(3).first != UInt8(ascii: "-")
    }
}
