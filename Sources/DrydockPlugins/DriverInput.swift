// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import DrydockModel
import DrydockOS
import DrydockProtocol
import Glibc
import Synchronization
import SystemPackage

/// The host's end of a driver's standard input.
///
/// A socket, so that writing to a driver that has ended is an error and not a signal.
final class DriverInput: Sendable {
    private let socket: OwnedDescriptor
    private let order = Mutex(())

    /// How long a driver may leave its standard input unread.
    private static let patience: Int32 = 5_000

    /// Makes the pair; `childEnd` is the driver's.
    static func make() throws(Errno) -> (input: DriverInput, childEnd: FileDescriptor) {
        var ends: [Int32] = [-1, -1]
        let type = Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue)
        guard socketpair(AF_UNIX, type, 0, &ends) == 0 else { throw Errno(rawValue: errno) }
        let input = DriverInput(OwnedDescriptor(taking: FileDescriptor(rawValue: ends[0])))
        return (input, FileDescriptor(rawValue: ends[1]))
    }

    private init(_ socket: consuming OwnedDescriptor) { self.socket = socket }

    /// Says that nothing more comes: a driver that reads to the end goes on.
    func finish() {
        // Fails only when the driver is gone, which is as good.
        socket.withDescriptor { descriptor in _ = shutdown(descriptor.rawValue, Int32(SHUT_WR)) }
    }

    /// Writes one line.
    ///
    /// False when the driver does not take it: it ended, or leaves its input unread.
    @discardableResult
    func send(_ record: HostRecord) -> Bool {
        let line = record.encoded()
        return order.withLock { _ in
            socket.withDescriptor { descriptor in
                var rest = line[...]
                while !rest.isEmpty {
                    let count = rest.withUnsafeBytes { bytes in
                        Glibc.send(
                            descriptor.rawValue,
                            bytes.baseAddress,
                            bytes.count,
                            Int32(MSG_NOSIGNAL) | Int32(MSG_DONTWAIT)
                        )
                    }
                    if count >= 0 {
                        rest = rest.dropFirst(count)
                    } else if errno == EAGAIN {
                        var polled = pollfd(fd: descriptor.rawValue, events: Int16(POLLOUT), revents: 0)
                        if poll(&polled, 1, Self.patience) == 0 { return false }
                    } else if errno != EINTR {
                        return false
                    }
                }
                return true
            }
        }
    }
}
