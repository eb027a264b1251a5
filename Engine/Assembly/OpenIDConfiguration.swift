import UsherCore
import UsherPipeline

/// `USHER_OIDC_…`: where people sign in, and as what.
extension Configuration {
    private static let needed = ["USHER_OIDC_ISSUER", "USHER_OIDC_CLIENT_ID", "USHER_OIDC_CLIENT_SECRET"]

    /// - Throws: ``ErrorCode/configuration`` where one is set and another is missing, or cannot be read.
    static func openID(_ values: [String: String]) throws(UsherError) -> OpenIDSettings? {
        let missing = needed.filter { values[$0] == nil }
        guard missing.count < needed.count else {
            if values["USHER_OIDC_ROLES"] != nil {
                throw UsherError(.configuration, "USHER_OIDC_ROLES says who may do what, and USHER_OIDC_ISSUER not where people sign in.")
            }
            return nil
        }
        guard missing.isEmpty else {
            throw UsherError(
                .configuration, "To have people sign in, set \(missing.joined(separator: ", ")) too; the chapter Operating says how.")
        }
        let issuer = values["USHER_OIDC_ISSUER"] ?? ""
        try checkService("USHER_OIDC_ISSUER", issuer, example: "https://login.northwind.example")
        guard let roles = OpenIDSettings.roles(values["USHER_OIDC_ROLES"] ?? "") else {
            throw UsherError(
                .configuration,
                "USHER_OIDC_ROLES must name groups or mail addresses by role, such as: admin=it-admins,ada@northwind.example; operator=support; viewer=staff"
            )
        }
        return OpenIDSettings(
            issuer: issuer, clientID: values["USHER_OIDC_CLIENT_ID"] ?? "", clientSecret: Secret(values["USHER_OIDC_CLIENT_SECRET"] ?? ""),
            roles: roles)
    }
}
