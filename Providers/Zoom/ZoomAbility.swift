/// What Usher does at Zoom, and the scopes of which any one allows it: granular and classic names, at the levels of user,
/// account and master account; some guides write `:user`.
/// Source: https://developers.zoom.us/docs/integrations/oauth-scopes-granular/ and https://developers.zoom.us/docs/integrations/oauth-scopes/
struct ZoomAbility {
    let name: String
    let granular: String
    let classic: String
    /// Needed for anything at all.
    var isEssential = false
    /// A user's own app can have it, too.
    var isForOwners = true

    var scopes: [String] { [granular, classic].flatMap { [$0, "\($0):admin", "\($0):master", "\($0):user"] } }

    static let all = [
        ZoomAbility(name: "make meetings", granular: "meeting:write:meeting", classic: "meeting:write", isEssential: true),
        ZoomAbility(name: "read meetings back", granular: "meeting:read:meeting", classic: "meeting:read"),
        ZoomAbility(name: "move meetings", granular: "meeting:update:meeting", classic: "meeting:write"),
        ZoomAbility(name: "cancel meetings", granular: "meeting:delete:meeting", classic: "meeting:write"),
        ZoomAbility(name: "settle a call that got no answer", granular: "meeting:read:list_meetings", classic: "meeting:read"),
        ZoomAbility(name: "tell whose account it is", granular: "user:read:user", classic: "user:read", isEssential: true),
        ZoomAbility(name: "fit passcodes to the account's rules", granular: "user:read:settings", classic: "user:read"),
    ]
}
