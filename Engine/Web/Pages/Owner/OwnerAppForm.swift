import UsherMail
import UsherPipeline
import UsherStore

/// Where an owner brings their organisation's own app along. A secret that was entered is never shown again.
enum OwnerAppForm {
    static func html(_ provider: String, service: String, tellsEvents: Bool, _ app: StoredApp?, key: String) -> HTML {
        let id = "app-\(provider)"
        let present = app.map { app -> HTML in
            "<p>In use: client id <code>\(app.clientID)</code>. Its secrets are sealed, and not shown again.</p>"
                + Page.button("Remove this app", action: "/owners/me/app/remove", key: key, fields: [("provider", provider)], isPlain: true)
        }
        let events: HTML =
            tellsEvents
            ? """
            <label for="\(id)-hook">Secret token of its events</label><input id="\(id)-hook" name=webhookSecret type=password autocomplete=off maxlength=200>
            """ : ""
        return """
            <details\(app == nil ? "" : " open")><summary>My organisation's own \(service) app</summary>\(present ?? "")
            <form class=stack method=post action="/owners/me/app"><input type=hidden name=key value="\(key)">
            <input type=hidden name=provider value="\(provider)">
            <label for="\(id)-id">Client ID</label><input id="\(id)-id" name=clientId required autocomplete=off maxlength=200>
            <label for="\(id)-secret">Client secret</label><input id="\(id)-secret" name=clientSecret type=password required autocomplete=off maxlength=200>
            \(events)<button class="button plain">Use this app</button></form></details>
            """
    }
}
