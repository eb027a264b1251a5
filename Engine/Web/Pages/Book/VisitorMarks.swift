import Foundation
import Hummingbird
import UsherCore
import UsherPipeline
import UsherVault

/// How a visitor of booking pages is known again: by a cookie; or, in a frame of another site's, where browsers keep it from us, by a
/// signed mark in the page's address.
struct VisitorMarks: Sendable {
    private let context: EngineContext
    private let cookie: SessionCookie

    /// Longer than anybody fills in a form.
    private static let lifetime = Duration.days(1)
    private static let purpose = "visitor"

    init(_ context: EngineContext) {
        self.context = context
        cookie = SessionCookie("usher_visitor", context.settings.publicURL)
    }

    func newVisitor() -> PageBookings.Visitor { visitor(context.environment.code(bits: 128)) }

    /// `nil` for whoever is here for the first time, or brings a mark that is none of ours.
    func visitor(_ request: Request, _ visit: BookVisit) -> PageBookings.Visitor? {
        (cookie.value(in: request)?.reveal() ?? visit.framed).flatMap(verified).map(visitor)
    }

    func cookie(_ visitor: PageBookings.Visitor) -> Cookie { cookie.setting(Secret(mark(visitor)), for: Self.lifetime) }

    /// `<id>-<signature>`
    func mark(_ visitor: PageBookings.Visitor) -> String { "\(visitor.id)-\(context.vault.sign(visitor.id, purpose: Self.purpose))" }

    private func verified(_ mark: String) -> String? {
        let parts = mark.split(separator: "-", maxSplits: 1).map(String.init)
        guard parts.count == 2, context.vault.verify(parts[1], of: parts[0], purpose: Self.purpose) else { return nil }
        return parts[0]
    }

    private func visitor(_ id: String) -> PageBookings.Visitor {
        PageBookings.Visitor(id: id, address: TrustedProxies.group(Actor.current.address))
    }
}
