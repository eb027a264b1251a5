import UsherCore

/// What an owner's pages say, and those around signing in and consents, in the owner's language.
package struct OwnerWords: Sendable {
    /// A sentence or label that is put together in code; the raw value is its key under `owner` in `words.{language}.json`. What stands
    /// there beside these is named by the templates.
    package enum Key: String, CaseIterable, Sendable {
        case openRoom, tryAgain, takeAway
        /// With `{service}`.
        case ownApp
        case appInUse, removeApp, notSetUp
        /// With `{site}` and `{service}`.
        case notSetUpText
        case connected, needsYou, notConnected
        /// With `{service}`.
        case connect
        case connectAgain, mend, disconnect, yourAccount
        /// With `{account}`, `{service}` and `{date}`.
        case lost
        case lostText
        /// With `{service}`, `{account}` and `{date}`.
        case living
        case livingText
        /// With `{service}`.
        case disconnectNamed, disconnectText
        case yesDisconnect, count, countNot, remove, counts, countsNot, countsNotText, unreadable, reading, readingText, stale
        /// With `{date}` and `{time}`.
        case readOn
        case takeBack
        /// With `{from}` and `{to}`.
        case fromTo
        /// With `{provider}`.
        case siteDefault
        /// With `{provider}` and `{reason}`.
        case notReady
        /// With `{provider}`, `{date}` and `{time}`.
        case failing
        case test, testTitle, testAbout
        /// With `{provider}`.
        case testText
        /// With `{type}` and `{provider}`.
        case heldAt
        /// With `{day}`.
        case startsOn
        case weekOver
        /// With `{type}`.
        case weekFull, restFull
        /// With `{reason}`.
        case inTheWay
        case hours, canBegin, canBook, nothingFree
        /// With `{count}`.
        case bookings, holds, busyTimes
        /// With `{zone}`.
        case timesAre
        case signOut, signOutEverywhere, notFromPage, pressThere, openPage, didNotWork, toPage
        /// With `{name}`.
        case welcome
        case welcomeText, openMine, used, usedText, often, oftenText, signIn, signInText, mailedText
    }

    /// A sentence or label of the pages around a consent; the raw value is its key under `consents`.
    package enum ConsentKey: String, CaseIterable, Sendable {
        /// With `{service}` and `{name}`.
        case connectFor
        /// With `{name}`, `{account}`, `{site}` and `{service}`.
        case connectForText
        /// With `{name}`.
        case onlyIf
        /// With `{service}`.
        case continueTo, offTo
        case `continue`, cannotOpen, cannotConnect, closePage
        /// With `{account}`.
        case connected
        case connectedText, rightAccount
        /// With `{account}` and `{service}`.
        case rightAccountText
        /// With `{account}`.
        case yesUse
        case connectNothing, otherAccount
        /// With `{service}`, `{former}` and `{account}`.
        case otherAccountText
        /// With `{account}`.
        case use, keep
        case again, unknownState, unknownStateText, expired, expiredText, alreadyUsed, alreadyUsedText, otherBrowser, otherBrowserText,
            signedOut, signedOutText
        /// With `{service}`.
        case didNotAgree, noCodeText
        case missing
        /// With `{abilities}` and `{scopes}`.
        case missingText
        /// With `{service}`.
        case notConnected
        case declined
        /// With `{service}`.
        case declinedText
        case mustAllow
        /// With `{service}`.
        case mustAllowText
        case notSetUp, notSetUpText
        /// With `{service}` and `{text}`.
        case says
        case sendThis
        /// With `{service}` and `{place}`.
        case approve
        case unpublished
    }

    /// What these pages share with the guests'.
    package let page: PageWords
    private let words: Words

    /// The words of a language; English where there are none.
    package init(_ language: String) {
        page = PageWords(language)
        (words, _) = Words.of(language)
    }

    /// By their keys, for templates; the guests' pages' among them.
    package var all: [String: String] { words.owner.merging(words.page) { own, _ in own } }

    /// Text, not HTML; every language has the same keys, or the start is refused.
    package func callAsFunction(_ key: Key, _ values: [String: String] = [:]) -> String {
        Placeholders.fill(words.owner[key.rawValue] ?? key.rawValue, values)
    }

    /// The same of the pages around a consent.
    package func consent(_ key: ConsentKey, _ values: [String: String] = [:]) -> String {
        Placeholders.fill(words.consents[key.rawValue] ?? key.rawValue, values)
    }

    /// How far a room has come.
    package func status(_ status: Meeting.Status) -> String { words.statuses[status.rawValue] ?? status.rawValue }

    /// Why a provider is chosen.
    package func because(_ rule: Because) -> String { words.because[rule.rawValue] ?? rule.rawValue }

    /// Why no meeting can begin at a time, inside of a sentence.
    /// - Parameter reason: the name of one.
    package func cause(of reason: String) -> String { words.unavailable[reason]?.cause ?? reason }

    /// What can be done about it: a sentence.
    package func remedy(of reason: String) -> String { words.unavailable[reason]?.remedy ?? "" }

    /// What is wrong and what to do, by the problem's code. What it came with, in English, tells more: which permission, what the service
    /// said. So it stands below, unless it is the same once more.
    /// - Parameter service: which refuses.
    package func lines(_ problem: Problem, service: String) -> [String] {
        func filled(_ text: String) -> String { Placeholders.fill(text, ["service": service]) }
        guard Language.base(page.language) != "en", let said = words.problems[problem.code.rawValue] else {
            return [problem.message, problem.remedy].filter { !$0.isEmpty }
        }
        let (english, _) = Words.of("en")
        let isAll = english.problems[problem.code.rawValue].map { filled($0.cause) == problem.message } ?? false
        return [filled(said.cause), filled(said.remedy)] + (isAll || problem.message.isEmpty ? [] : [problem.message])
    }
}
