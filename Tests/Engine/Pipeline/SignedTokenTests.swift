import Testing
import UsherCore
import UsherPipeline
import UsherVault

/// Signed tokens, against the examples of RFC 7515, appendix A.
@Suite(.timeLimit(.minutes(1)))
struct SignedTokenTests {
    private static let payload =
        "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ"
    /// A.3
    private static let es256 =
        "eyJhbGciOiJFUzI1NiJ9.\(payload).DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q"
    private static let p256: JSON = [
        "kty": "EC", "crv": "P-256", "x": "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU", "y": "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0",
    ]
    /// A.2
    private static let rs256 =
        "eyJhbGciOiJSUzI1NiJ9.\(payload).cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5YKt_O8W2Fp5jujGbds9uJdbF9CUAr7t1dnZcAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb1L07Qe7K0GarZRmB_eSN9383LcOLn6_dO--xi12jzDwusC-eOkHWEsqtFZESc6BfI7noOPqvhJ1phCnvWh6IeYI2w9QOYEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrBp0igcN_IoypGlUPQGe77Rw"
    private static let rsa: JSON = [
        "kty": "RSA", "e": "AQAB",
        "n":
            "ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ",
    ]

    private func key(_ keys: JSON..., id: String? = nil) -> PublishedKeys.Key? { PublishedKeys(["keys": .array(keys)]).key(id) }

    @Test("the examples' signatures hold, of both kinds of key, and not one for the other")
    func examples() throws {
        let (ellipse, rsa) = (try #require(SignedToken(Self.es256)), try #require(SignedToken(Self.rs256)))
        let (point, modulus) = (try #require(key(Self.p256)), try #require(key(Self.rsa)))
        #expect(ellipse.claims["iss"] == "joe" && rsa.claims["exp"] == 1_300_819_380)
        #expect(ellipse.isSigned(by: point) && rsa.isSigned(by: modulus))
        #expect(!ellipse.isSigned(by: modulus) && !rsa.isSigned(by: point))
    }

    @Test("one changed byte, of the head, of what is said or of the signature, and it holds no more")
    func changes() throws {
        let point = try #require(key(Self.p256))
        let parts = Self.es256.split(separator: ".").map(String.init)
        for changed in [
            "eyJhbGciOiJFUzI1NiIsIngiOjF9.\(parts[1]).\(parts[2])", "\(parts[0]).eyJpc3MiOiJhZGEifQ.\(parts[2])",
            "\(parts[0]).\(parts[1]).E" + parts[2].dropFirst(),
        ] { #expect(try !#require(SignedToken(changed)).isSigned(by: point)) }
    }

    @Test(
        "what is no signed token is not read",
        arguments: [
            "", "a.b", "a.b.c.d", "e30.e30.AA", "eyJhbGciOiJFUzI1NiIsImNyaXQiOlsieCJdfQ.e30.AA", "eyJhbGciOiJFUzI1NiJ9.W10.AA",
            "eyJhbGciOiJFUzI1NiJ9.!.AA",
        ])
    func unread(_ text: String) { #expect(SignedToken(text) == nil) }

    @Test("a key is found by its name; without one there must be no choice, and keys for other uses are none")
    func names() {
        func named(_ key: JSON, _ more: JSON.Member...) -> JSON { .object((key.members ?? []) + more) }
        let (first, second) = (named(Self.p256, .init("kid", "a")), named(Self.rsa, .init("kid", "b")))
        #expect(key(first, second, id: "b") != nil && key(first, second, id: "c") == nil && key(first, second) == nil)
        #expect(key(named(Self.p256, .init("kid", "a"), .init("use", "enc")), id: "a") == nil)
        #expect(key(["kty": "oct", "k": "AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow"]) == nil)
        #expect(key(["kty": "EC", "crv": "P-256", "x": "AA", "y": "AA"]) == nil)
    }

    @Test("roles are read from one line; addresses count in lower case, groups as they are spelt")
    func roles() {
        #expect(
            OpenIDSettings.roles("admin=Bosses, Ada@Northwind.example; viewer=staff;")
                == [.admin: ["Bosses", "ada@northwind.example"], .viewer: ["staff"]])
        for wrong in ["boss=x", "admin", "admin=", "admin=a; admin=b"] { #expect(OpenIDSettings.roles(wrong) == nil, "\(wrong)") }
        #expect(OpenIDSettings.roles("")?.isEmpty == true)
    }
}
