import UsherCore
import UsherStore

extension RoomOutcomes {
    /// Whose account the room belongs to, where every owner has one of their own.
    func accountOwner(of room: RoomRecord) -> String? {
        step.context.registry.descriptor(room.module)?.connection == .owner ? booking.terms.owner.id : nil
    }

    /// What the owner is alerted of: the connection, where that is the matter. Without an app at all it is the admin who must act, and a
    /// room that belongs to another account than the connected one is this booking's own matter: no press on Connect would help.
    func alertSubject(of problem: Problem, _ room: RoomRecord) throws -> AlertSubject {
        let owner = booking.terms.owner.id
        guard problem.code == .notConnected || problem.code == .reauthorize, accountOwner(of: room) != nil,
            let entry = step.context.catalog.current.provider(room.provider)
        else { return .booking(booking.id) }
        let accounts = try step.context.accounts(of: owner, step.tx)
        let provisioner = ProviderResolver(step.context)
        let isOfConnection =
            provisioner.readinessProblem(entry, accounts.app(room.provider)) == nil && provisioner.readinessProblem(entry, accounts) != nil
        return isOfConnection ? .connection(owner: owner, provider: room.provider) : .booking(booking.id)
    }
}
