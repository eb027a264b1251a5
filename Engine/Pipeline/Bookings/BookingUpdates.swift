import UsherCore
import UsherStore

extension EngineContext {
    /// Writes what can change of a booking, and tells of what that means.
    func update(_ booking: Booking, _ tx: Tx) throws {
        let old = try tx.booking(booking.id)
        try tx.update(booking)
        try announce(from: old, to: booking, tx)
    }

    func announce(from old: Booking?, to new: Booking, _ tx: Tx) throws {
        for type in EventType.between(old, new) {
            try announcer.tell(type, about: new.id, meeting: new.start, tx) { showsManagePage in
                let view = try BookingView(new, self, tx)
                return showsManagePage ? view.json : view.withoutManagePage().json
            }
        }
    }
}
