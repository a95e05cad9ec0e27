// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import DrydockProtocol
import Hummingbird
import HummingbirdCore
import NIOCore

/// What goes with a request through the middlewares: where it comes from, and who sent it.
struct CallContext: RequestContext {
    var coreContext: CoreRequestContextStorage
    /// The other end of the connection: the client, or a proxy.
    let peer: SocketAddress?
    /// Anyone, until the token was looked at.
    var caller: Caller
    /// What is asked for; nil where the operation changes nothing, and until the token was looked at.
    var change: RequestedChange?
    /// Whether the connection that it came by is there; its client may have said everything.
    let isOpen: @Sendable () -> Bool

    init(source: ApplicationRequestContextSource) {
        coreContext = .init(source: source)
        isOpen = { [channel = source.channel] in channel.isActive }
        peer = source.channel.remoteAddress
        caller = Caller(identity: .anyone, address: peer?.ipAddress ?? "local")
    }

    /// The change that the store is to record as it makes it.
    ///
    /// Throws where the request was let through to none: nothing is changed behind the audit's back.
    func requestedChange() throws(Problem) -> RequestedChange {
        guard let change else { throw Problem(500, .internal, "this operation changes nothing") }
        return change
    }
}
