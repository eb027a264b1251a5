import GoogleMeet
import MicrosoftTeams
import SelfHosted
import UsherCatalog
import UsherCore
import Zoom

/// A clinic's catalogue, with a provider of each module.
package enum TestCatalog {
    package static let modules: [any Provider.Type] = [
        LinkProvider.self, JitsiProvider.self, MiroTalkProvider.self, ZoomAccountProvider.self, ZoomProvider.self, GoogleMeetProvider.self,
        TeamsProvider.self,
    ]

    package static let text = """
        version: 1
        site:
          name: Northwind Clinic
          from: "Northwind Clinic <bookings@northwind.example>"
          time-zone: Europe/Berlin
          default-provider: room
        providers:
          room: { module: link, url: "https://meet.northwind.example/{code}", passcode: generate, dial-in: [{ country: DE, number: "+49 30 901820", pin: "{pin}" }] }
          campus: { module: zoom-s2s }
          zoom: {}
          meet: { module: google-meet }
          teams: { module: microsoft-teams }
        owners:
          ana: { name: Ana Ruiz, email: ana@northwind.example, time-zone: Europe/Madrid, default-provider: campus }
          tom: { name: Tom Berg, email: tom@northwind.example }
        meeting-types:
          consultation: { title: "Consultation with {owner.name}", durations: [30m, 45m] }
          fixed: { title: "At Zoom", duration: 30m, provider: campus }
          safe: { title: "At Zoom or here", duration: 30m, provider: campus, fallback: [room] }
          later: { title: "On join", duration: 30m, provider: campus, provision: on-join }
          open: { title: "Open hours", duration: 30m, provider: room, overlap: allow }
          meet: { title: "At Google Meet", duration: 30m, provider: meet }
          teams: { title: "At Teams", duration: 30m, provider: teams }
          mine: { title: "At my own Zoom", duration: 30m, provider: zoom }
          diary: { title: "On my calendar", duration: 30m, provider: campus, calendar: true }
          healing: { title: "Healing", duration: 30m, provider: campus, on-drift: recreate }
        """

    package static func read(_ text: String = text) throws -> Catalog {
        let report = CatalogReader(try ProviderRegistry(modules)).read(Array(text.utf8))
        guard let catalog = report.catalog else {
            throw UsherError(.configuration, report.diagnostics.map { $0.text(file: "test") }.joined(separator: "\n"))
        }
        return catalog
    }
}
