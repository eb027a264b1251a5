import Foundation
import Testing
import UsherCore

@Suite(.timeLimit(.minutes(1)))
struct ValueTests {
    @Test("a file behind a link is looked at itself, as mounts of secrets have it")
    func fileStatus() throws {
        let folder = FileManager.default.temporaryDirectory.path + "/usher-status-\(UInt64.random(in: 0 ... .max))"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        for name in ["a", "b"] { try name.write(toFile: folder + "/" + name, atomically: true, encoding: .utf8) }
        chmod(folder + "/a", 0o600)
        try FileManager.default.createSymbolicLink(atPath: folder + "/link", withDestinationPath: folder + "/a")
        let first = try #require(FileStatus(folder + "/link"))
        #expect(first.mode == 0o600 && first == FileStatus(folder + "/a"))
        try FileManager.default.removeItem(atPath: folder + "/link")
        try FileManager.default.createSymbolicLink(atPath: folder + "/link", withDestinationPath: folder + "/b")
        #expect(FileStatus(folder + "/link") != first)
        #expect(FileStatus(folder + "/none") == nil)
    }

    @Test("a secret prints as redacted, however it is printed")
    func secret() {
        let secret = Secret("hunter2hunter2")
        var dumped = ""
        dump(["k": secret], to: &dumped)
        #expect(!"\(secret) \(String(reflecting: secret)) \(dumped)".contains("hunter2"))
    }

    @Test(
        "what is not JSON is refused",
        arguments: [
            "", "{", "[1,]", "{\"a\":1,}", "{\"a\":1,\"a\":2}", "01", "1.", "+1", "nul", "\"\\x\"", "\"\\ud800\"", "\"a\nb\"", "1 2",
            "{a:1}",
            "\"\\u+123\"", String(repeating: "[", count: 200),
        ])
    func notJSON(text: String) { #expect(throws: JSON.SyntaxError.self) { try JSON(parsing: text) } }

    @Test("JSON is read with its order, escapes and numbers")
    func readJSON() throws {
        let text = #" { "b" : [ 1 , -2.5e1, 9223372036854775807, 1e400 ] , "a":"\u00e9\ud83d\ude92\n\/", "c":{}, "d":null } "#
        let json = try JSON(parsing: text.replacing(", 1e400", with: ""))
        #expect(json.members?.map(\.key) == ["b", "a", "c", "d"])
        #expect(json["b"] == [1, .double(-25), .int(.max)])
        #expect(json["a"] == "\u{e9}\u{1F692}\n/")
        #expect(throws: JSON.SyntaxError.self) { try JSON(parsing: [0x22, 0xC3, 0x28, 0x22]) }
    }

    @Test("JSON keeps order, integers and what strings hold")
    func json() throws {
        let value: JSON = ["b": 1, "a": ["x\"\\\n\u{1}é": 85_012_345_678_901]]
        #expect(value.serialized == #"{"b":1,"a":{"x\"\\\n\u0001é":85012345678901}}"#)
        #expect(try JSON(parsing: value.serialized)["a"]?.members?.first?.value == 85_012_345_678_901)
        #expect(try JSON(parsing: "[true, 1, 1.5, null]") == [true, 1, .double(1.5), .null])
    }

    @Test(
        "addresses that say anything to a header or to SMTP are none",
        arguments: [
            ("bo@example.org", true), ("a.b+c@x-y.example", true), ("a@localhost", true), ("a b@example.org", false),
            ("a@b\r\nRCPT TO:<c@d>", false),
            ("<a@b.example>", false), ("a@@b", false), (".a@b", false), ("a@-b.example", false), ("\"a\"@b.example", false), ("@b", false),
            ("a@", false),
        ])
    func addresses(text: String, isFine: Bool) { #expect(isMailAddress(text) == isFine) }

    @Test("two addresses in one are refused, not cut down to the last")
    func twoAddresses() {
        #expect(Mailbox("Bo <bo@b.example>, Al <al@b.example>") == nil)
        #expect(Mailbox("\"Li, Bo\" <bo@b.example>")?.name == "Li, Bo")
    }

    @Test("placeholders are filled once, and never inside what was filled in")
    func placeholders() {
        #expect(Placeholders.fill("{a} {b} {c", ["a": "{b}", "b": "x"]) == "{b} x {c")
    }

    @Test("the nearest known word is offered, and none when nothing is near")
    func nearestWord() {
        #expect(nearest("duraton", ["title", "duration"]) == "duration")
        #expect(nearest("xyz", ["title", "duration"]) == nil)
    }

    @Test("a phone link keys in meeting and passcode")
    func tapToCall() {
        #expect(
            DialIn(country: "US", number: "+1 646 558 8656", pin: "466548", meetingID: "85746065432").tapToCall
                == "tel:+16465588656,,85746065432#,,,,*466548#")
        #expect(DialIn(country: "DE", number: "+49 30 901820", pin: "1234").tapToCall == "tel:+4930901820,,1234#")
    }
}
