import Synchronization
import UsherCore

/// The catalogue in force; a reload replaces it whole.
package final class CatalogHolder: Sendable {
    private let value: Mutex<(catalog: Catalog, digest: String)>
    /// Holds a first catalogue.
    package init(_ catalog: Catalog) { value = Mutex((catalog, "")) }
    /// The catalogue in force at this moment.
    package var current: Catalog { value.withLock { $0.catalog } }
    /// Of its text; empty for one that is this process's own.
    package var digest: String { value.withLock { $0.digest } }
    package func put(_ catalog: Catalog, digest: String = "") { value.withLock { $0 = (catalog, digest) } }
}
