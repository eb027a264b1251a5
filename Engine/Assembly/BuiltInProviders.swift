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
