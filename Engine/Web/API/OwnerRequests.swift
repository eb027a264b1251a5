import UsherCore
import UsherPipeline

/// The body of `PUT /v1/owners/{id}`.
struct OwnerRequest: JSONRequest {
    var name: String
    var email: String
    var timeZone: String?
    var language: String?
    var schedule: String?

    static let schemaName = "OwnerRequest"
    static let examples: [JSON] = [
        ["name": "Eve Stone", "email": "eve@northwind.example", "timeZone": "Europe/London", "language": "en"]
    ]

    init(_ reader: inout JSONReader) {
        name = reader.required("name", "As mails and pages call them.", .length(1...Limits.name))
        email = reader.required("email", "Where their mail goes.", .length(0...Limits.mailAddress))
        timeZone = reader.text("timeZone", "IANA name; the site's where it is not given.")
        language = reader.text("language", "The site's where it is not given.", Language.rules)
        schedule = reader.text("schedule", "The owner's hours: a name under schedules in meeting-types.yaml; none where it is not given.")
    }
}

/// The body of `PUT /v1/owners/{id}/default-provider`.
struct DefaultProviderRequest: JSONRequest {
    var provider: String?

    static let schemaName = "DefaultProviderRequest"
    static let examples: [JSON] = [["provider": nil]]

    init(_ reader: inout JSONReader) {
        provider = reader.nullable("provider", "A provider's name; null leaves the choice to the site.")
    }
}

/// The body of `PUT /v1/owners/{id}/apps/{provider}`.
struct AppRequest: JSONRequest {
    var app: OwnerApps.App

    static let schemaName = "AppRequest"
    static let examples: [JSON] = [
        ["clientId": "northwind-app", "clientSecret": "northwind-secret", "webhookSecret": "northwind-events"]
    ]

    init(_ reader: inout JSONReader) {
        app = OwnerApps.App(
            clientID: reader.required("clientId", "As the service gave it.", .length(1...200)),
            clientSecret: Secret(
                reader.required("clientSecret", "As the service gave it; sealed, and never shown again.", .length(1...200))),
            webhookSecret: reader.text("webhookSecret", "With which the service signs its events, where it does.", .length(0...200)).flatMap
            { $0.isEmpty ? nil : Secret($0) })
    }
}

/// The body of `POST /v1/owners/{id}/connections/{provider}/authorize`.
struct AuthorizeRequest: JSONRequest {
    var returnTo: String

    static let schemaName = "AuthorizeRequest"
    static let examples: [JSON] = [.object([])]

    init(_ reader: inout JSONReader) {
        returnTo =
            reader.text("returnTo", "Where the browser goes in the end: on this server, or an origin of USHER_RETURN_ORIGINS.") ?? ""
    }
}

/// Where an owner's browser is to be sent.
struct Authorization: JSONObject {
    var consent: Consents.Begun
    var publicURL: String

    var url: String { "\(publicURL)/auth/\(consent.service)/start?consent=\(consent.id)" }

    static let schemaName = "Authorization"
    static let fields: [JSONField<Authorization>] = [
        .init("authorizationUrl", "Where the owner's browser is to be sent.", .uri) { $0.url },
        .init("expiresAt", "It is dead then.") { $0.consent.expiresAt },
    ]
}

extension OwnerService.PortalLink: JSONObject {
    /// As generated clients know it.
    package static let schemaName = "PortalLink"
    /// Where, and how long.
    package static let fields: [JSONField<OwnerService.PortalLink>] = [
        .init("url", "Signs in once.", .uri) { $0.url }, .init("expiresAt", "It is dead then, used or not.") { $0.expiresAt },
    ]
}
