import Foundation

extension Options {
    /// Asks at a terminal; elsewhere nobody is there to answer.
    /// - Parameter hint: what is said where nobody can be asked.
    func confirms(_ question: String, else hint: String) -> Bool {
        guard isatty(STDIN_FILENO) == 1, !json else {
            Output.diagnostic(hint)
            return false
        }
        FileHandle.standardError.write(Data("\(question) [y/N] ".utf8))
        return readLine()?.lowercased().hasPrefix("y") == true
    }
}
