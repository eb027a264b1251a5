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

    func timeOff(_ all: [StoredTimeOff], today: CalendarDate, _ key: String) -> HTML {
        let words = PageWords("en")
        let items = all.map { off -> HTML in
            let days = off.first == off.last ? words.day(off.first) : "\(words.day(off.first)) to \(words.day(off.last))"
            return "<li>\(days)<br>"
                + Page.button("Take it back", action: "/owners/me/time-off/remove", key: key, fields: [("id", off.id)], isPlain: true)
                + "</li>"
        }
        let list: HTML = items.isEmpty ? "<p>None ahead.</p>" : "<ul>\(items.joined())</ul>"
        return """
            <section id=time-off><h2>Days off</h2>\(list)
            <form class=stack method=post action="/owners/me/time-off"><input type=hidden name=key value="\(key)">
            <label for=offfrom>First day</label><input id=offfrom name=from type=date required min="\(today.text)">
            <label for=offto>Last day, if there is more than one</label><input id=offto name=to type=date min="\(today.text)">
            <button class="button plain">Take these days off</button></form>
            <p class=quiet>Bookings that stand there stay.</p></section>
            """
    }
}
