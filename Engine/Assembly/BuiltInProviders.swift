import Calendars
import GoogleMeet
import MicrosoftTeams
import SelfHosted
import UsherCore
import Zoom

/// The provider modules that come with Usher. A program with modules of its own adds them: `builtInProviders + [Mine.self]`.
public let builtInProviders: [any Provider.Type] = [
    LinkProvider.self,
    JitsiProvider.self,
    MiroTalkProvider.self,
    ZoomAccountProvider.self,
    ZoomProvider.self,
    GoogleMeetProvider.self,
    TeamsProvider.self,
]

/// What reads when owners are busy.
public let builtInBusySources: [any BusySource.Type] = [
    FeedSource.self,
    CalDAVSource.self,
    GoogleBusySource.self,
    MicrosoftBusySource.self,
]
