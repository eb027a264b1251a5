import Foundation
import FoundationXML
import UsherCore

/// An element of XML with what it holds, its name without the prefix that a server chose.
final class XMLElement {
    let namespace: String
    let name: String
    let attributes: [String: String]
    private(set) var children: [XMLElement] = []
    private(set) var text = ""

    init(namespace: String, name: String, attributes: [String: String]) {
        self.namespace = namespace
        self.name = name
        self.attributes = attributes
    }

    /// The first child of that name.
    subscript(_ name: DAVName) -> XMLElement? { children.first { $0.name == name.name && $0.namespace == name.namespace } }
    func all(_ name: DAVName) -> [XMLElement] { children.filter { $0.name == name.name && $0.namespace == name.namespace } }

    fileprivate func add(_ child: XMLElement) { children.append(child) }
    fileprivate func add(_ characters: String) { text += characters }

    /// `nil` for what is no XML.
    static func parse(_ bytes: [UInt8]) -> XMLElement? {
        let (parser, reader) = (XMLParser(data: Data(bytes)), XMLReader())
        parser.shouldProcessNamespaces = true
        parser.shouldResolveExternalEntities = false
        parser.delegate = reader
        return parser.parse() ? reader.root : nil
    }
}

/// A name of WebDAV, CalDAV, or a server's extension of them.
struct DAVName {
    let namespace: String
    let name: String

    static func dav(_ name: String) -> DAVName { DAVName(namespace: "DAV:", name: name) }
    static func caldav(_ name: String) -> DAVName { DAVName(namespace: "urn:ietf:params:xml:ns:caldav", name: name) }
    static let tag = DAVName(namespace: "http://calendarserver.org/ns/", name: "getctag")
}

private final class XMLReader: NSObject, XMLParserDelegate {
    private(set) var root: XMLElement?
    private var open: [XMLElement] = []
    private static let mostDepth = 64

    func parser(
        _ parser: XMLParser, didStartElement name: String, namespaceURI: String?, qualifiedName: String?, attributes: [String: String]
    ) {
        let element = XMLElement(namespace: namespaceURI ?? "", name: name, attributes: attributes)
        open.last?.add(element)
        root = root ?? element
        open.append(element)
        if open.count > Self.mostDepth { parser.abortParsing() }
    }

    func parser(_ parser: XMLParser, didEndElement name: String, namespaceURI: String?, qualifiedName: String?) { _ = open.popLast() }
    func parser(_ parser: XMLParser, foundCharacters text: String) { open.last?.add(text) }
    func parser(_ parser: XMLParser, foundCDATA block: Data) { open.last?.add(String(decoding: block, as: UTF8.self)) }
}

/// What a server says of several resources (RFC 4918 §13).
struct MultiStatus {
    struct Response {
        var href: String
        /// Of the resource as a whole; 200 where its properties have statuses of their own.
        var status: Int
        /// The properties that were found.
        var properties: [XMLElement]

        func property(_ name: DAVName) -> XMLElement? {
            properties.first { $0.name == name.name && $0.namespace == name.namespace }
        }
    }
    var responses: [Response]
    /// RFC 6578 §6.2
    var syncToken: String?

    /// `nil` for anything else.
    init?(_ bytes: [UInt8]) {
        guard let root = XMLElement.parse(bytes), root.name == "multistatus", root.namespace == "DAV:" else { return nil }
        syncToken = root[.dav("sync-token")]?.text.trimmingBlanks
        responses = root.all(.dav("response")).map { response in
            let found = response.all(.dav("propstat")).filter { Self.status($0) == 200 }
            return Response(
                href: response[.dav("href")]?.text.trimmingBlanks ?? "",
                status: response[.dav("status")] == nil ? 200 : Self.status(response),
                properties: found.flatMap { $0[.dav("prop")]?.children ?? [] })
        }
    }

    /// `HTTP/1.1 200 OK`
    private static func status(_ element: XMLElement) -> Int {
        let words = element[.dav("status")]?.text.trimmingBlanks.split(separator: " ") ?? []
        return words.count > 1 ? Int(words[1]) ?? 0 : 0
    }
}

extension String {
    /// As text in XML.
    var inXML: String { replacing("&", with: "&amp;").replacing("<", with: "&lt;").replacing(">", with: "&gt;") }
}
