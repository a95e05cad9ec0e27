// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import Hummingbird
import HummingbirdCore
import NIOCore

/// What goes with a request through the middlewares: where it comes from, and who sent it.
struct CallContext: RequestContext {
    var coreContext: CoreRequestContextStorage
    /// Anyone, until the token was looked at.
    var caller: Caller
    /// Whether the connection that it came by is there; its client may have said everything.
    let isOpen: @Sendable () -> Bool

    init(source: ApplicationRequestContextSource) {
        coreContext = .init(source: source)
        isOpen = { [channel = source.channel] in channel.isActive }
        caller = Caller(identity: .anyone, address: source.channel.remoteAddress?.ipAddress ?? "local")
    }
}
