// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import DrydockOS
import Glibc
import SystemPackage

/// A connected socket that counts as one of its sandbox until nobody holds it, and is closed then.
final class SeatedSocket: Sendable {
    /// What a call did.
    enum Outcome {
        case moved(Int)
        /// Nothing now; it is told when that changes.
        case waits
        case failed
    }

    let descriptor: OwnedDescriptor
    private let leave: @Sendable () -> Void

    /// `leave` gives the seat up; no call on the socket waits from here on.
    init(_ descriptor: consuming OwnedDescriptor, leave: @escaping @Sendable () -> Void) {
        // There is no flag of splice for it.
        descriptor.withDescriptor {
            _ = fcntl($0.rawValue, F_SETFL, fcntl($0.rawValue, F_GETFL) | O_NONBLOCK)
        }
        self.descriptor = descriptor
        self.leave = leave
    }

    deinit { leave() }

    /// Takes bytes in; none were moved at their end.
    func receive(into buffer: UnsafeMutableRawBufferPointer) -> Outcome {
        descriptor.withDescriptor { socket in
            outcome { recv(socket.rawValue, buffer.baseAddress, buffer.count, Int32(MSG_DONTWAIT)) }
        }
    }

    func send(_ bytes: UnsafeRawBufferPointer) -> Outcome {
        let flags = Int32(MSG_DONTWAIT) | Int32(MSG_NOSIGNAL)
        return descriptor.withDescriptor { socket in
            outcome { Glibc.send(socket.rawValue, bytes.baseAddress, bytes.count, flags) }
        }
    }

    /// Tells the peer that there is no more; one that is gone needs no telling.
    func endOutput() { descriptor.withDescriptor { _ = shutdown($0.rawValue, Int32(SHUT_WR)) } }

    private func outcome(_ call: () -> Int) -> Outcome {
        while true {
            let count = call()
            if count >= 0 { return .moved(count) }
            if errno == EINTR { continue }
            return errno == EAGAIN ? .waits : .failed
        }
    }
}
