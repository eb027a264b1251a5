import Foundation
import HTTPTypes
import Hummingbird
import NIOCore
import UsherCore
import UsherMail
import UsherPipeline

/// The frame of every page: one style, one small script that it can do without, nothing from elsewhere, and headers that keep it so.
enum Page {
    private static let style: HTML = """
        :root{color-scheme:light dark;background:Canvas;color:CanvasText}body{font:1.1rem/1.5 system-ui,sans-serif;max-width:36rem;margin:0 auto;padding:1.5rem}
        .when{font-size:1.35rem;font-weight:600;margin:.5rem 0 0}.zone,.quiet{margin:0;opacity:.8}
        .button{display:inline-block;background:#0b6e4f;color:#fff;padding:.8rem 1.6rem;border:0;border-radius:.4rem;font:inherit;
        font-weight:600;text-decoration:none;cursor:pointer}.plain{background:none;color:inherit;border:1px solid currentColor;
        padding:.5rem 1rem;font-weight:400}form{display:inline-block;margin:.3rem .5rem .3rem 0}
        section{border-top:1px solid #8886;padding:.6rem 0 1rem}h2{margin:.6rem 0 .3rem;font-size:1.25rem}
        code{font-size:1.15em;user-select:all;overflow-wrap:anywhere}li{margin:.4rem 0}:focus-visible{outline:3px solid #f5a623;outline-offset:2px}
        .good{color:#0b6e4f}.bad{color:#b3261e}@media(prefers-color-scheme:dark){.good{color:#6fd3ad}.bad{color:#ff9b93}}
        .stack{display:block;max-width:24rem}.stack input,.stack .button{display:block;width:100%;box-sizing:border-box;margin:.2rem 0 .7rem}
        .copy{font:inherit;font-size:.85em;padding:.15rem .6rem;border:1px solid currentColor;border-radius:.3rem;background:none;color:inherit;cursor:pointer}
        input{font:inherit;padding:.5rem}details{margin:.6rem 0}summary{cursor:pointer;padding:.3rem 0}
        select{font:inherit;padding:.5rem;max-width:100%}.broad{max-width:72rem}.wide{overflow-x:auto}table{border-collapse:collapse;width:100%}
        th,td{text-align:left;vertical-align:top;padding:.35rem .6rem .35rem 0;border-bottom:1px solid #8884}th{font-weight:600}
        .month{table-layout:fixed}.month th,.month td{text-align:center;padding:.15rem}.month th{font-size:.8rem}.month a{display:block;min-height:2.2rem;line-height:2.2rem;
        border:1px solid currentColor;border-radius:.4rem;color:inherit;font-weight:600;text-decoration:none}.month a[aria-current]{background:#0b6e4f;color:#fff}
        .month tr{display:table-row!important}.month td,.month th{display:table-cell!important;border:0}.month thead{position:static!important;clip-path:none!important}.times .button{margin:.2rem 0}
        .choices{display:block;margin:.6rem 0}textarea,.stack select{font:inherit;display:block;width:100%;box-sizing:border-box;margin:.2rem 0 .7rem;padding:.5rem}
        .stack input[type=checkbox]{display:inline-block;width:1.5rem;height:1.5rem;margin:.2rem 0 .7rem}.stack label{display:block}.stack .bad{display:block;margin:-.4rem 0 .7rem}.trap{position:absolute;clip-path:inset(50%);width:1px;height:1px;overflow:hidden}
        .day{display:block;width:100%;height:2.2rem}.hours{display:flex;justify-content:space-between;margin:.6rem 0 0;font-size:.8rem}h3{margin:.6rem 0 .2rem;font-size:1rem}h3 .quiet{font-weight:400}
        .key{width:1.6rem;height:.8rem;margin-right:.3rem}.keys{list-style:none;padding:0}.night{fill:#8882}.open,.bookable{fill:#3fae86}.open{fill-opacity:.45}.by-busy-booking{fill:#2456b8}.by-busy-hold{fill:#8a63d2}
        .by-busy-calendar{fill:#b4540a}.by-calendar-stale{fill:#b3261e}.by-capacity{fill:#a01c6e}.by-limit{fill:#8a6d00}.by-notice,.by-horizon,.by-not-on-grid{fill:#8888}.by-outside-hours,.by-no-schedule{fill:none}
        td time{white-space:nowrap}@media(max-width:44rem){thead{position:absolute;clip-path:inset(50%);width:1px;height:1px;overflow:hidden}tr,td{display:block;border:0}
        tr{border-bottom:1px solid #8884;padding:.5rem 0}td{padding:.1rem 0}td:empty{display:none}td[data-label]:not([data-label=""])::before{content:attr(data-label)": ";opacity:.7}}nav a{margin-right:.8rem}pre{overflow-x:auto;font-size:.85rem}
        """

    /// - Parameters:
    ///   - title: text.
    ///   - body: below the title.
    ///   - words: of the language that the body is in.
    ///   - isWide: for tables.
    ///   - isPublic: whether search engines may show it.
    ///   - origins: whose pages may show it in a frame.
    static func response(
        _ status: HTTPTypes.HTTPResponse.Status = .ok, _ title: String, _ body: HTML, words: PageWords = PageWords("en"),
        cookies: [Cookie] = [], isWide: Bool = false, isPublic: Bool = false,
        framedBy origins: [String] = []
    ) -> Response {
        let (privacy, terms) = SiteLinks.current
        let links = [(words(.privacy), privacy), (words(.terms), terms)].compactMap { label, url -> HTML? in
            url.map { "<a href=\"\($0)\" rel=noreferrer>\(label)</a> " }
        }
        let foot: HTML = links.isEmpty ? "" : "<footer class=quiet>\(links.joined())</footer>"
        let html: HTML = """
            <!DOCTYPE html><html lang="\(words.language)" dir="\(words.direction)"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
            <title>\(title)</title><style>\(style)</style><script src="\(PageScript.path)" defer></script></head><body\(isWide ? " class=broad" : "")><main><h1>\(title)</h1>\(body)</main>\(foot)</body></html>
            """
        var headers: HTTPFields = [.contentType: "text/html; charset=utf-8", .cacheControl: "no-store"]
        let security =
            [
                (
                    "Content-Security-Policy",
                    "default-src 'none'; style-src 'unsafe-inline'; script-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors \(origins.isEmpty ? "'none'" : origins.joined(separator: " "))"
                ),
                ("Referrer-Policy", "same-origin"), ("X-Content-Type-Options", "nosniff"),
            ] + (isPublic ? [] : [("X-Robots-Tag", "noindex")])
        for (name, value) in security { if let name = HTTPField.Name(name) { headers[name] = value } }
        for cookie in cookies { headers.append(HTTPField(name: .setCookie, value: cookie.description)) }
        return Response(status: status, headers: headers, body: .init(byteBuffer: ByteBuffer(string: html.source)))
    }

    static func redirect(to url: String, cookies: [Cookie] = []) -> Response {
        var headers: HTTPFields = [.location: url, .cacheControl: "no-store"]
        if let name = HTTPField.Name("Referrer-Policy") { headers[name] = "same-origin" }
        for cookie in cookies { headers.append(HTTPField(name: .setCookie, value: cookie.description)) }
        return Response(status: .seeOther, headers: headers)
    }

    /// Leads on after a press. A redirect would not do: browsers hold a form's `form-action` against every stop on its way.
    static func onward(to url: String, _ title: String, _ label: String, cookies: [Cookie] = []) -> Response {
        Page.response(
            .ok, title,
            "<meta http-equiv=refresh content=\"0;url=\(url)\"><p><a class=button href=\"\(url)\" rel=noreferrer>\(label)</a></p><p class=quiet>If nothing opens, open this address by hand: <code>\(url)</code></p>",
            cookies: cookies)
    }

    /// When and with whom, in the reader's own time.
    static func head(of visit: ReaderLinks.Visit) -> HTML {
        let booking = visit.booking
        let time = ReaderTime.of(start: booking.start, end: booking.end, timeZone: visit.timeZone, language: visit.language)
        let moment: HTML =
            "data-start=\"\(booking.start.rfc3339)\" data-end=\"\(booking.end.rfc3339)\" data-zone=\"\(visit.timeZone)\" data-here=\"\(visit.words(.here))\""
        let words = visit.words
        return
            "<p class=when dir=auto>\(time.date)<br>\(time.range)</p><p class=zone dir=auto \(moment)>\(time.zone)</p>"
            + "<p>\(words.with + words.colon) <bdi>\(booking.terms.owner.name)</bdi>\(words.comma)<bdi>\(booking.terms.site.name)</bdi></p>"
    }

    static func list(_ lines: [String]) -> HTML {
        lines.isEmpty ? "" : "<ul>\(lines.map { line -> HTML in "<li>\(line)</li>" }.joined())</ul>"
    }

    static func back(to path: String, _ label: String) -> HTML {
        "<p><a href=\"\(path)\">\(label)</a></p>"
    }

    static var deadLink: Response {
        response(
            .notFound, "This link does not lead anywhere", "<p>Check that you copied all of it, or use the link in the newest mail.</p>")
    }

    /// For a query's value.
    static func encoded(_ text: String) -> String {
        text.addingPercentEncoding(withAllowedCharacters: CharacterSet.alphanumerics.intersection(.init(charactersIn: "\u{20}"..."\u{7E}")))
            ?? ""
    }

    /// A form of one button.
    static func button(_ label: String, action: String, key: String?, fields: [(String, String)] = [], isPlain: Bool = false) -> HTML {
        let hidden = (key.map { [("key", $0)] } ?? []) + fields
        let inputs = hidden.map { field -> HTML in "<input type=hidden name=\"\(field.0)\" value=\"\(field.1)\">" }.joined()
        return
            "<form method=post action=\"\(action)\">\(inputs)<button class=\"button\(isPlain ? " plain" : "")\">\(label)</button></form>"
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
