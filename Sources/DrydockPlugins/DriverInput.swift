// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import DequeModule
import DrydockModel
import DrydockOS
import DrydockProtocol
import Glibc
import Synchronization
import SystemPackage

/// The host's end of a driver's standard input.
///
/// A socket, so that writing to a driver that has ended is an error and not a signal. Lines go in the order they came, from a
/// thread that may wait for the driver to read; whoever sends them does not.
final class DriverInput: Sendable {
    private struct Entry {
        /// Nil ends the input.
        var line: [UInt8]?
        var isTaken: Promise<Bool>
    }

    private struct State {
        var waiting: Deque<Entry> = []
        var isWriting = false
        /// The driver did not take a line, and is sent nothing more.
        var isDeaf = false
    }

    private let socket: OwnedDescriptor
    private let state = Mutex(State())

    /// How long a driver may leave its standard input unread, in milliseconds.
    private let patience: Int32
    /// Lines that may wait for it.
    private static let mostWaiting = 1_000

    /// Makes the pair; `childEnd` is the driver's.
    static func make(patience: Int32 = 5_000) throws(Errno) -> (input: DriverInput, childEnd: FileDescriptor)
    {
        var ends: [Int32] = [-1, -1]
        let type = Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue)
        guard socketpair(AF_UNIX, type, 0, &ends) == 0 else { throw Errno.current }
        let input = DriverInput(OwnedDescriptor(taking: FileDescriptor(rawValue: ends[0])), patience)
        return (input, FileDescriptor(rawValue: ends[1]))
    }

    private init(_ socket: consuming OwnedDescriptor, _ patience: Int32) {
        self.socket = socket
        self.patience = patience
    }

    /// Writes one line behind those before it; false when the driver has stopped to take any.
    @discardableResult
    func post(_ record: HostRecord) -> Bool { enqueue(record.encoded()) != nil }

    /// The same with a line that may be no record at all.
    func post(line: [UInt8]) { _ = enqueue(line) }

    /// The same, and waits until the driver has taken it: false when it ended, or leaves its input unread.
    func send(_ record: HostRecord) async -> Bool { await enqueue(record.encoded())?.value ?? false }

    /// Says that nothing more comes: a driver that reads to the end goes on.
    func finish() { _ = enqueue(nil) }

    private func enqueue(_ line: [UInt8]?) -> Promise<Bool>? {
        let entry = Entry(line: line, isTaken: Promise())
        let isFirst = state.withLock { state -> Bool? in
            guard !state.isDeaf, state.waiting.count < Self.mostWaiting else { return nil }
            state.waiting.append(entry)
            defer { state.isWriting = true }
            return !state.isWriting
        }
        guard let isFirst else { return nil }
        if isFirst { Blocking.start { self.write() } }
        return entry.isTaken
    }

    private func write() {
        while let (entry, isDeaf) = next() {
            let isTaken = !isDeaf && write(entry.line)
            if !isTaken { state.withLock { $0.isDeaf = true } }
            entry.isTaken.keep(isTaken)
        }
    }

    private func next() -> (Entry, isDeaf: Bool)? {
        state.withLock { state in
            guard let entry = state.waiting.popFirst() else {
                state.isWriting = false
                return nil
            }
            return (entry, state.isDeaf)
        }
    }

    private func write(_ line: [UInt8]?) -> Bool {
        socket.withDescriptor { descriptor in
            guard var rest = line?[...] else {
                // Fails only when the driver is gone, which is as good.
                _ = shutdown(descriptor.rawValue, Int32(SHUT_WR))
                return true
            }
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
                    if poll(&polled, 1, patience) == 0 { return false }
                } else if errno != EINTR {
                    return false
                }
            }
            return true
        }
    }
}
