import UsherCore

/// Lets nothing out while the installation is held.
package struct HeldTransport: Transport {
    fileprivate let inner: any Transport
    private let isHeld: @Sendable () -> Bool

    /// - Parameter inner: what it goes out by.
    package init(inner: any Transport, isHeld: @escaping @Sendable () -> Bool) {
        self.inner = inner
        self.isHeld = isHeld
    }

    package func send(_ request: HTTPRequest) async throws(TransportError) -> HTTPResponse {
        if isHeld() {
            throw .notSent("this database was put back or copied, and nothing leaves it until `usher release` has shown what would")
        }
        return try await inner.send(request)
    }
}

extension EngineContext {
    /// The same, but that looks at providers which a person has asked for are let out while everything else is held.
    var lookingWhileHeld: EngineContext {
        var context = self
        if let held = transport as? HeldTransport { context.transport = held.inner }
        return context
    }
}
