import NIOCore
import NIOHTTPTypes
import Synchronization
import UsherCore

/// The connections that stand. A new one always gets in: where its address has as many as one may have, or all are taken, the one
/// that has been silent the longest goes for it. Who is being answered is silent last of all.
final class StandingConnections: Sendable {
    private let limit: Int
    private let limitOfOneAddress: Int
    private let proxies: TrustedProxies
    private let state = Mutex(State())

    private struct State {
        var standing: [ObjectIdentifier: Standing] = [:]
        var turns: UInt64 = 0
    }

    private struct Standing {
        var channel: any Channel
        var address: String
        /// Grows with every sign of life.
        var turn: UInt64
        var isBusy = false
    }

    /// - Parameter proxies: their connections are many callers', and are not counted by address.
    init(limit: Int, ofOneAddress: Int, proxies: TrustedProxies) {
        self.limit = limit
        limitOfOneAddress = ofOneAddress
        self.proxies = proxies
    }

    fileprivate func begin(_ channel: any Channel) {
        let address = NetworkAddress.plain(channel.remoteAddress?.ipAddress ?? "")
        let group = proxies.contains(address) ? "" : TrustedProxies.group(address)
        let gone = state.withLock { state -> (any Channel)? in
            let isFull = state.standing.count >= limit
            let isOften = !group.isEmpty && state.standing.values.count { $0.address == group } >= limitOfOneAddress
            var victim: (key: ObjectIdentifier, value: Standing)?
            if isFull || isOften {
                victim = state.standing.filter { !isOften || $0.value.address == group }
                    .min { ($0.value.isBusy ? 1 : 0, $0.value.turn) < ($1.value.isBusy ? 1 : 0, $1.value.turn) }
            }
            if let victim { state.standing[victim.key] = nil }
            state.turns += 1
            state.standing[ObjectIdentifier(channel)] = Standing(channel: channel, address: group, turn: state.turns)
            return victim?.value.channel
        }
        gone?.close(promise: nil)
    }

    fileprivate func end(_ channel: any Channel) { state.withLock { _ = $0.standing.removeValue(forKey: ObjectIdentifier(channel)) } }

    fileprivate func live(_ channel: any Channel, isBusy: Bool) {
        state.withLock { state in
            state.turns += 1
            state.standing[ObjectIdentifier(channel)]?.turn = state.turns
            state.standing[ObjectIdentifier(channel)]?.isBusy = isBusy
        }
    }
}

/// Watches over one connection: closes it where its other side does not take what it asked for, or asks for more than it waits for.
final class ConnectionWatch: ChannelDuplexHandler, RemovableChannelHandler {
    typealias InboundIn = HTTPRequestPart
    typealias InboundOut = HTTPRequestPart
    typealias OutboundIn = HTTPResponsePart
    typealias OutboundOut = HTTPResponsePart

    /// So long may an answer lie here that the other side does not read.
    private static let writePatience = TimeAmount.seconds(30)
    /// Requests of one connection that have come and are not answered.
    private static let mostPending = 32

    private let connections: StandingConnections
    private var pending = 0
    private var deadline: Scheduled<Void>?

    init(_ connections: StandingConnections) { self.connections = connections }

    func handlerAdded(context: ChannelHandlerContext) { connections.begin(context.channel) }

    func channelInactive(context: ChannelHandlerContext) {
        deadline?.cancel()
        connections.end(context.channel)
        context.fireChannelInactive()
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        deadline?.cancel()
        connections.end(context.channel)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        if case .head = unwrapInboundIn(data) {
            pending += 1
            connections.live(context.channel, isBusy: true)
            if pending > Self.mostPending { return context.close(promise: nil) }
        }
        context.fireChannelRead(data)
    }

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        if case .end = unwrapOutboundIn(data) {
            pending -= 1
            connections.live(context.channel, isBusy: pending > 0)
        }
        context.write(data, promise: promise)
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        deadline?.cancel()
        deadline = nil
        if !context.channel.isWritable {
            let channel = context.channel
            deadline = context.eventLoop.scheduleTask(in: Self.writePatience) { channel.close(promise: nil) }
        }
        context.fireChannelWritabilityChanged()
    }
}
