/// Something wrong with the catalogue's file.
package struct CatalogFinding: Sendable {
    /// Where it is, and what is wrong.
    package var text: String
    /// The line of the file with a mark at the place; empty where there is none to show.
    package var excerpt: String

    /// What `usher check` says of it.
    package init(_ text: String, excerpt: String) { (self.text, self.excerpt) = (text, excerpt) }
}
