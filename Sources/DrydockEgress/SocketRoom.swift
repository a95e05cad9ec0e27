// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import DrydockOS
import Glibc

/// Room for what a client is to be sent: more than its sandbox's sockets have, for a few tunnels of each sandbox.
///
/// The relay then has turns that are worth it, in place of one for each time the client has read a little. It counts until the
/// kernel has no more than of any socket: one that was closed before would go on holding it, with nobody to count it.
enum SocketRoom {
    /// Tunnels of a sandbox that have it at a time.
    static let most = 8
    /// Bytes of each, with what the kernel needs to keep them.
    ///
    /// It doubles what it is told. Source: man 7 socket, SO_SNDBUF.
    static let size = 1 << 20
    /// What every socket of a sandbox may have (`tcp_wmem`), and the segment that may go beyond it.
    static let usual = 192 << 10
}

extension SeatedSocket {
    /// Gives it room, less where the kernel allows less, and none where it can not be seen how much is used.
    func makeRoom() {
        guard memoryToSend != nil else { return }
        var size = Int32(SocketRoom.size / 2)
        _ = descriptor.withDescriptor {
            setsockopt($0.rawValue, SOL_SOCKET, SO_SNDBUF, &size, socklen_t(MemoryLayout<Int32>.size))
        }
    }

    /// Memory of the kernel's for what was sent and has not been taken; nil where the kernel does not say.
    var memoryToSend: Int? {
        // SO_MEMINFO, of which the sixth number is SK_MEMINFO_WMEM_QUEUED: Linux 4.12, linux/sock_diag.h.
        var numbers = [UInt32](repeating: 0, count: 9)
        var size = socklen_t(numbers.count * MemoryLayout<UInt32>.size)
        let result = descriptor.withDescriptor { getsockopt($0.rawValue, SOL_SOCKET, 55, &numbers, &size) }
        return result == 0 ? Int(numbers[5]) : nil
    }

    /// Has the kernel throw away what was not taken, when it is closed.
    func resetWhenClosed() {
        var now = linger(l_onoff: 1, l_linger: 0)
        _ = descriptor.withDescriptor {
            setsockopt($0.rawValue, SOL_SOCKET, SO_LINGER, &now, socklen_t(MemoryLayout<linger>.size))
        }
    }
}
