/// One attempt to give a booking a room: the intent that is written before a provider is asked, and what became of it.
///
/// A booking has one record for each *generation*; a new one begins only with a deliberate new room (a fallback, a recreation).
public struct RoomRecord: Hashable, Sendable {
    /// What is known of the room at the provider.
    public enum State: String, Sendable, CaseIterable {
        /// The request is on its way, or was when its process died.
        case attempting
        /// It may or may not exist; `find` decides.
        case unclear
        /// The provider said no, or nothing was ever sent: there is no room, and it may be asked again.
        case absent
        /// The provider said a final no: this generation is over.
        case refused
        case live
        /// A cancel is under way.
        case removing
        case removed
    }

    /// 128 unguessable bits in base32, and after them the installation and epoch that made it: travels to the provider, and is how we
    /// know the room again.
    public var key: String
    /// The booking that it is for.
    public var bookingID: String
    /// Counts the deliberate new rooms of the booking, from 1.
    public var generation: Int64
    /// The provider's name in `meeting-types.yaml`.
    public var provider: String
    /// The id of its module.
    public var module: String
    /// The account at the provider that hosts; empty where there is none.
    public var host: String
    /// What is known of the room at the provider.
    public var state: State
    /// When the last request can no longer be in flight.
    public var requestDeadline: Instant
    /// The provider's own id of the room.
    public var roomID: String
    /// How to get in, once the provider has said so.
    public var room: Room?
    /// The start and end that the provider was last told; ``Instant/epoch`` while it has not answered to others.
    public var appliedStart: Instant
    /// See ``appliedStart``.
    public var appliedEnd: Instant
    /// When to look for a twin of a create that was repeated; ``Instant/never`` when all looks are done.
    public var duplicateCheckAt: Instant
    /// When to look whether the room is still as it was; ``Instant/never`` when nobody asks.
    public var checkAt: Instant
    /// How many looks for a twin remain.
    public var duplicateChecksLeft: Int64
    /// Times in a row that the provider said 'gone'.
    public var goneReports: Int64
    /// Tries of the present action that went wrong in a row.
    public var failures: Int64
    /// Not before this is the provider asked again.
    public var notBefore: Instant

    /// An attempt that has not begun: nothing has been asked, and no check is due.
    public init(key: String, bookingID: String, generation: Int64, provider: String, module: String, host: String, state: State) {
        self.key = key
        self.bookingID = bookingID
        self.generation = generation
        self.provider = provider
        self.module = module
        self.host = host
        self.state = state
        requestDeadline = Instant(microseconds: 0)
        roomID = ""
        room = nil
        appliedStart = Instant(microseconds: 0)
        appliedEnd = Instant(microseconds: 0)
        duplicateCheckAt = .never
        checkAt = .never
        duplicateChecksLeft = 0
        goneReports = 0
        failures = 0
        notBefore = Instant(microseconds: 0)
    }
}
