// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import Glibc
import NIOCore
import NIOSSL

/// The socket of a channel that has no TLS, to which bytes go past the channel's pipeline.
///
/// A line goes to a thousand viewers as a thousand short writes, and what each costs beside the kernel's part is the time in
/// which the objects of its channel come from memory: a dozen, none of which has anything to do for bytes that the kernel
/// takes at once. What it does not take goes the long way, through the channel, which then has to be asked whether anything
/// waits in it before the next bytes may come by here.
///
/// Must only be used on the channel's event loop, and not after the channel has said that it is inactive: it says so before
/// anything else is done on its loop when it closes, and the descriptor may be another's by then.
struct BareSocket {
    private let descriptor: NIOBSDSocket.Handle

    /// nil where bytes have to be made others on their way, or end at no socket.
    init?(_ context: ChannelHandlerContext) {
        let pipeline = context.pipeline.syncOperations
        guard context.channel.isActive,
            (try? pipeline.context(handlerType: NIOSSLServerHandler.self)) == nil,
            let descriptor = try? pipeline.withUnsafeTransportIfAvailable(
                of: NIOBSDSocket.Handle.self,
                { $0 }
            )
        else { return nil }
        self.descriptor = descriptor
    }

    /// Hands over as much as the kernel takes now, and returns how many bytes that were.
    ///
    /// What went wrong is not said: the channel, which is handed the rest, finds the same, and knows what to do.
    func send(_ bytes: borrowing ByteBuffer) -> Int {
        let flags = CInt(MSG_DONTWAIT | MSG_NOSIGNAL)
        let sent = bytes.withUnsafeReadableBytes { Glibc.send(descriptor, $0.baseAddress, $0.count, flags) }
        return max(0, sent)
    }
}

@available(*, unavailable)
extension BareSocket: Sendable {}
