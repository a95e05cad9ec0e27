// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

internal import COS
internal import DrydockModel
internal import Glibc
import Synchronization
package import SystemPackage

/// Takes the bytes out of one pipe, on a thread of its own, until the other end is closed or it is stopped.
///
/// An orphan that keeps the pipe open can not hang the host: `stop` ends the pump whoever still writes.
package final class PipePump: Sendable {
    private enum State {
        case running
        /// `stop` was called: what is there is drained, so many bytes at most.
        case stopping(left: Int)
    }

    private static let bufferSize = 64 << 10
    /// `F_GETPIPE_SZ`, which Swift does not import (man 2 fcntl).
    private static let getPipeSize: Int32 = 1_032

    private let state = Mutex(State.running)
    private let end = Promise<Void>()
    private let descriptor: OwnedDescriptor
    private let wake: OwnedDescriptor

    /// Starts reading `descriptor` in blocks of up to 64 KiB.
    ///
    /// `onBytes` runs in the pump's thread, in order, and holds the pipe up while it runs: that is the back pressure.
    package static func start(
        _ descriptor: consuming OwnedDescriptor,
        name: String,
        onBytes: @escaping @Sendable (UnsafeRawBufferPointer) -> Void
    ) throws(Errno) -> PipePump {
        var event: Int32 = -1
        try Errno.check(cos_event(&event))
        let wake = OwnedDescriptor(taking: FileDescriptor(rawValue: event))
        let pump = PipePump(descriptor: descriptor, wake: wake)
        try SystemThread.start(name: name) { pump.run(onBytes) }
        return pump
    }

    private init(descriptor: consuming OwnedDescriptor, wake: consuming OwnedDescriptor) {
        self.descriptor = descriptor
        self.wake = wake
    }

    /// Returns once the last byte was handed over: the other end was closed, or the pump was stopped.
    package func finished() async { await end.value }

    /// Drains what is there, without waiting for more, and then ends the pump.
    ///
    /// For when everything that was to write is gone: what it left is handed over whole, however long that takes, and is no
    /// more than a pipe holds; so one who still writes can not keep the pump either. Returns at once; `finished()` tells
    /// when it is done. A second call changes nothing.
    package func stop() {
        let capacity = descriptor.withDescriptor { fcntl($0.rawValue, Self.getPipeSize) }
        state.withLock { state in
            guard case .running = state else { return }
            state = .stopping(left: capacity > 0 ? Int(capacity) : Self.bufferSize)
        }
        // A full counter has woken the thread already, so its error is of no interest.
        wake.withDescriptor { event in _ = cos_event_signal(event.rawValue) }
    }

    private func run(_ onBytes: (UnsafeRawBufferPointer) -> Void) {
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: Self.bufferSize, alignment: 16)
        defer { buffer.deallocate() }
        while awaitBytes() {
            // Asked before it is read: what was taken earlier is not part of what was left.
            let isDraining = state.withLock { if case .stopping = $0 { true } else { false } }
            let count = descriptor.withDescriptor { read($0.rawValue, buffer.baseAddress, buffer.count) }
            if count > 0 {
                onBytes(UnsafeRawBufferPointer(rebasing: buffer[..<count]))
                if isDraining { drained(count) }
            } else if count == 0 || (errno != EINTR && errno != EAGAIN) {
                // Closed, or unreadable for good (EIO of a terminal): there are no more bytes either way.
                break
            }
        }
        end.keep(())
    }

    /// Waits for bytes; false when the pump is to end.
    private func awaitBytes() -> Bool {
        while true {
            let draining: Bool
            switch state.withLock({ $0 }) {
            case .running: draining = false
            case .stopping(let left):
                if left <= 0 { return false }
                draining = true
            }
            var polled = [
                descriptor.withDescriptor { pollfd(fd: $0.rawValue, events: Int16(POLLIN), revents: 0) },
                wake.withDescriptor { pollfd(fd: $0.rawValue, events: Int16(POLLIN), revents: 0) },
            ]
            let ready = poll(&polled, draining ? 1 : 2, draining ? 0 : -1)
            if ready < 0 && errno != EINTR { return false }
            if polled[0].revents != 0 { return true }
            if draining && ready == 0 { return false }
        }
    }

    private func drained(_ count: Int) {
        state.withLock { state in
            guard case .stopping(let left) = state else { return }
            state = .stopping(left: left - count)
        }
    }
}
