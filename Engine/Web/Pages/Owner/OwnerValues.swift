import UsherCore
import UsherPipeline

/// The values of `owner.html.mustache`. Lists that have a heading of their own are `nil` where they are empty.
struct OwnerValues: Sendable {
    struct List<Item: Sendable>: Sendable {
        var all: [Item]

        /// `nil` for no items.
        init?(_ all: [Item]) {
            if all.isEmpty { return nil }
            self.all = all
        }
    }
    struct Meeting: Sendable {
        var title, when: String
        var guests: String?
        var place: String
        var state: ChipPart?
        var problem, room: String?
        /// It begins soon, or has begun.
        var isSoon: Bool
        var roomName: String
        var presses: [FormButton]
        /// Where it is moved or cancelled.
        var change: String?
        var changeName: String
    }
    struct Link: Sendable { var linkName, link: String }
    struct Account: Sendable {
        struct App: Sendable {
            var inUse, clientID: String
            var remove: FormButton
        }

        var service, ownApp: String
        var state: ChipPart?
        var account: String?
        var presses: [FormButton] = []
        var notice: NoticePart?
        var app: App?
        var carried: [HiddenField]
        var appID: String
        var tellsEvents: Bool
    }
    struct Calendar: Sendable {
        var calendarName: String
        var state: ChipPart?
        var calendarText: String
        var presses: [FormButton]
    }
    struct DaysOff: Sendable {
        var days: String
        var press: FormButton
    }
    struct Held: Sendable {
        var heldAt: String
        var steps: [String]
    }

    var say: [String: String]
    var notices: [NoticePart]
    var meetings: List<Meeting>?
    /// Seconds after which the meetings are asked for again; `nil` where nothing is on its way.
    var refresh: String?
    var week: WeekValues
    var links: List<Link>?
    var accounts: List<Account>?
    var calendars: List<Calendar>?
    var calendarAccounts: [FormButton]
    var daysOff: List<DaysOff>?
    var formKey, today: String
    var choices: [OptionPart]
    var defaultNotice: NoticePart?
    var test: FormButton?
    var testText: String
    var held: List<Held>?
}

/// The values of `week.html.mustache`.
struct WeekValues: Sendable {
    struct Choice: Sendable {
        var monday: String
        var types: [OptionPart]
    }
    struct Verdict: Sendable {
        var cannot: String?
        var why: String
    }
    struct Day: Sendable {
        var weekday, weekdaySum: String
        var isToday: Bool
        var blocks: [Block]
        var startsOn: String
        var starts: OwnerValues.List<String>?
    }
    struct Block: Sendable { var look, x, y, blockWidth, blockHeight, saying: String }
    struct Key: Sendable { var look, saying: String }

    var choice: Choice?
    var earlierPath, weekName, laterPath: String
    var verdict: Verdict?
    var weekdays: [Day]
    var legend: [Key]
    var weekZone: String
}
