import Synchronization
import UsherCore

/// The catalogue in force; a reload replaces it whole.
package final class CatalogHolder: Sendable {
    private let value: Mutex<Catalog>
    /// Holds a first catalogue.
    package init(_ catalog: Catalog) { value = Mutex(catalog) }
    /// The catalogue in force at this moment.
    package var current: Catalog {
        get { value.withLock { $0 } }
        set { value.withLock { $0 = newValue } }
    }
}
