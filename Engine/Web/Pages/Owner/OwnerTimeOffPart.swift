import Hummingbird
import UsherCore
import UsherMail
import UsherPipeline
import UsherStore

/// Days on which an owner hosts nobody: added and taken back on the owner's page.
extension OwnerPage {
    func addTimeOffPresses(to router: Router<WebContext>) {
        let timeOff = TimeOffService(context)
        press(router, "/owners/me/time-off") { owner, form, _ in
            _ = try await timeOff.add(form["from"] ?? "", form["to"] ?? "", owner: owner.owner)
            return Page.redirect(to: "/owners/me#time-off")
        }
        press(router, "/owners/me/time-off/remove") { owner, form, _ in
            try await timeOff.remove(form["id"] ?? "", owner: owner.owner.id)
            return Page.redirect(to: "/owners/me#time-off")
        }
    }

    func daysOff(_ all: [StoredTimeOff], _ key: String) -> OwnerValues.List<OwnerValues.DaysOff>? {
        let words = PageWords("en")
        return .init(
            all.map { off in
                let days = off.first == off.last ? words.day(off.first) : "\(words.day(off.first)) to \(words.day(off.last))"
                let press = FormButton(
                    "Take it back", action: "/owners/me/time-off/remove", key: key, fields: [("id", off.id)], isPlain: true)
                return .init(days: days, press: press)
            })
    }
}
