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

    func daysOff(_ all: [StoredTimeOff], _ words: OwnerWords, _ key: String) -> OwnerValues.List<OwnerValues.DaysOff>? {
        return .init(
            all.map { off in
                let (first, last) = (words.page.day(off.first), words.page.day(off.last))
                let days = off.first == off.last ? first : words(.fromTo, ["from": first, "to": last])
                let press = FormButton(
                    words(.takeBack), action: "/owners/me/time-off/remove", key: key, fields: [("id", off.id)], isPlain: true)
                return .init(days: days, press: press)
            })
    }
}
