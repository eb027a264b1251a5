import Foundation
import HTTPTypes
import Hummingbird
import NIOCore
import UsherCore
import UsherMail
import UsherPipeline

/// The frame of every page: one stylesheet, one small script that it can do without, nothing from elsewhere, and headers that keep it so.
enum Page {
    /// How broad a page is: for text, for lists, for tables.
    enum Width: String { case narrow, middle, broad }

    /// What the frame shows around a page.
    struct Around: Sendable {
        var width = Width.narrow
        /// Who is signed in.
        var who: String?
        var tabs: [Tab] = []
        var footNote: String?
        var footButtons: [FormButton] = []

        static let nothing = Around()
    }

    /// A place that the frame leads to.
    struct Tab: Sendable {
        var tabPath: String
        var tabName: String
        var isCurrent = false
    }

    private struct FootLink {
        var footPath: String
        var footName: String
    }

    /// The values of `frame.html.mustache`.
    private struct Frame {
        var language, direction, title, style, script, site, home, width: String
        var logo, who, footNote: String?
        var isEmbedded, hasTabs: Bool
        var tabs: [Tab]
        var footLinks: [FootLink]
        var footButtons: [FormButton]
        var body: String
    }

    /// - Parameters:
    ///   - title: text.
    ///   - body: below the title.
    ///   - words: of the language that the body is in.
    ///   - around: what the frame shows.
    ///   - isPublic: whether search engines may show it.
    ///   - origins: whose pages may show it in a frame.
    static func response(
        _ status: HTTPTypes.HTTPResponse.Status = .ok, _ title: String, _ body: HTML, words: PageWords = PageWords("en"),
        cookies: [Cookie] = [], around: Around = .nothing, isPublic: Bool = false, framedBy origins: [String] = []
    ) -> Response {
        let frame = SiteFrame.current
        let links = [(words(.privacy), frame.site?.privacy), (words(.terms), frame.site?.terms)].compactMap { label, url in
            url.map { FootLink(footPath: $0, footName: label) }
        }
        let html = frame.look.render(
            .frame,
            Frame(
                language: words.language, direction: words.direction, title: title, style: frame.look.style.path,
                script: frame.look.script.path, site: frame.site?.name ?? "Usher", home: "/", width: around.width.rawValue,
                logo: frame.look.logo?.path, who: around.who, footNote: around.footNote,
                isEmbedded: !origins.isEmpty && frame.isEmbedded, hasTabs: !around.tabs.isEmpty, tabs: around.tabs, footLinks: links,
                footButtons: around.footButtons, body: body.source))
        var headers: HTTPFields = [.contentType: "text/html; charset=utf-8", .cacheControl: "no-store"]
        let security =
            [
                (
                    "Content-Security-Policy",
                    "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors \(origins.isEmpty ? "'none'" : origins.joined(separator: " "))"
                ),
                ("Referrer-Policy", "same-origin"), ("X-Content-Type-Options", "nosniff"),
            ] + (isPublic ? [] : [("X-Robots-Tag", "noindex")])
        for (name, value) in security { if let name = HTTPField.Name(name) { headers[name] = value } }
        for cookie in cookies { headers.append(HTTPField(name: .setCookie, value: cookie.description)) }
        return Response(status: status, headers: headers, body: .init(byteBuffer: ByteBuffer(string: html)))
    }

    static func redirect(to url: String, cookies: [Cookie] = []) -> Response {
        var headers: HTTPFields = [.location: url, .cacheControl: "no-store"]
        if let name = HTTPField.Name("Referrer-Policy") { headers[name] = "same-origin" }
        for cookie in cookies { headers.append(HTTPField(name: .setCookie, value: cookie.description)) }
        return Response(status: .seeOther, headers: headers)
    }

    /// Leads on after a press. A redirect would not do: browsers hold a form's `form-action` against every stop on its way.
    static func onward(to url: String, _ title: String, _ label: String, words: PageWords, cookies: [Cookie] = []) -> Response {
        struct Values { var url, label, byHand: String }
        return Page.response(
            .ok, title, HTML(.onward, Values(url: url, label: label, byHand: words(.byHand))), words: words, cookies: cookies)
    }

    static var deadLink: Response {
        let words = PageWords(SiteFrame.current.language)
        return response(.notFound, words(.deadLink), MessagePart(lines: [words(.deadLinkText)]).html, words: words)
    }

    static var busy: Response {
        let words = PageWords(SiteFrame.current.language)
        return response(.serviceUnavailable, words(.busyPage), MessagePart(lines: [words(.busyPageText)]).html, words: words)
    }

    /// For a query's value.
    static func encoded(_ text: String) -> String {
        text.addingPercentEncoding(withAllowedCharacters: CharacterSet.alphanumerics.intersection(.init(charactersIn: "\u{20}"..."\u{7E}")))
            ?? ""
    }
}

extension Request {
    /// The fields of a posted form. One that cannot be read, or in which a field comes twice, is as good as an empty one: nothing was
    /// pressed, and each page asks anew.
    func form() async throws -> [String: String] {
        let text = String(buffer: try await wholeBody())
        return (try? URLEncodedFormDecoder().decode([String: String].self, from: text)) ?? [:]
    }
}
