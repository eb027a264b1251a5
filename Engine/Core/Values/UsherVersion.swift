/// Which Usher this is.
public enum UsherVersion {
    /// Raised with every release, by the rules of https://semver.org
    public static let number = "0.1.0"
}
