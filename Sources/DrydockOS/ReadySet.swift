// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

internal import COS
package import SystemPackage

/// Waits for many descriptors at once, and for who wakes it.
///
/// A descriptor is told once for each time that something becomes possible: whoever hears of it goes on until the call says
/// `EAGAIN`. It leaves the set when it is closed. Source: man 7 epoll, edge-triggered.
package struct ReadySet: ~Copyable, Sendable {
    /// What has become possible.
    package struct Ready: Sendable {
        package let key: UInt64
        /// There are bytes, or their end.
        package let reads: Bool
        package let writes: Bool
        /// The connection is broken.
        package let fails: Bool
    }

    /// Descriptors that are told at a time.
    private static let most = 64
    /// The key of what wakes it.
    private static let wakeKey = UInt64.max

    private let set: OwnedDescriptor
    private let event: OwnedDescriptor

    package init() throws(Errno) {
        let set = try Self.made(cos_ready_set())
        let event = try Self.made(cos_eventfd())
        try Errno.check(Self.add(event, to: set, key: Self.wakeKey))
        self.set = set
        self.event = event
    }

    private static func made(_ result: Int32) throws(Errno) -> OwnedDescriptor {
        try Errno.check(result)
        return OwnedDescriptor(taking: FileDescriptor(rawValue: result))
    }

    private static func add(
        _ descriptor: borrowing OwnedDescriptor,
        to set: borrowing OwnedDescriptor,
        key: UInt64
    ) -> Int32 {
        let number = descriptor.withDescriptor { $0.rawValue }
        return set.withDescriptor { cos_ready_add($0.rawValue, number, key) }
    }

    /// Adds a descriptor, which stays the caller's, under any key but the highest.
    package borrowing func add(_ descriptor: borrowing OwnedDescriptor, key: UInt64) throws(Errno) {
        try Errno.check(Self.add(descriptor, to: set, key: key))
    }

    /// Ends the wait of now, or the next one; from whatever thread.
    package borrowing func wake() { event.withDescriptor { _ = cos_event_signal($0.rawValue) } }

    /// What is ready, after a wait of so long at most; nothing where it was woken, or the time is over.
    package borrowing func wait(milliseconds: Int32?) throws(Errno) -> [Ready] {
        var found = [cos_ready](repeating: cos_ready(), count: Self.most)
        let count = set.withDescriptor {
            cos_ready_wait($0.rawValue, &found, Int32(Self.most), milliseconds ?? -1)
        }
        try Errno.check(count)
        return found.prefix(Int(count)).filter { $0.key != Self.wakeKey }
            .map { Ready(key: $0.key, reads: $0.reads, writes: $0.writes, fails: $0.fails) }
    }
}
