// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import COS
import Glibc
package import SystemPackage

/// Tells when files in directories are written: one inotify descriptor and one thread, however many directories.
///
/// Source: man 7 inotify.
package final class DirectoryWatcher: Sendable {
    /// A watched directory.
    ///
    /// Watching the same one twice gives the same number.
    package struct Watch: Hashable, Sendable {
        fileprivate let descriptor: Int32
    }

    package enum Notice: Sendable {
        /// The file `name` in the directory was written, cut or moved in.
        case changed(Watch, name: String)
        /// The directory is gone, and its watch with it.
        case removed(Watch)
        /// The kernel dropped notices: look at everything.
        case overflowed
        /// It is time for a look at everything, whatever else comes.
        case due
    }

    private let channels: Channels

    /// Starts the thread, which calls `handler` for one notice after the other until the watcher goes away.
    package init(
        dueEvery interval: Duration,
        handler: @escaping @Sendable (Notice) -> Void
    ) throws(Errno) {
        let made = try Channels()
        channels = made
        let loop = WatchLoop(channels: made, interval: interval, handler: handler)
        try SystemThread.start(name: "drydock-watch") { loop.run() }
    }

    /// Watches a directory; needs no right but to read it.
    package func add(_ directory: FilePath) throws(Errno) -> Watch {
        let mask = UInt32(IN_MODIFY) | UInt32(IN_MOVED_TO) | UInt32(IN_ONLYDIR)
        let descriptor = directory.withPlatformString { inotify_add_watch(channels.inotify, $0, mask) }
        guard descriptor >= 0 else { throw Errno.current }
        return Watch(descriptor: descriptor)
    }

    /// Stops watching; a watch that went away by itself is fine.
    package func remove(_ watch: Watch) {
        _ = inotify_rm_watch(channels.inotify, watch.descriptor)
    }

    /// Ends the thread soon; it may still be in its handler.
    deinit { channels.stop() }

    /// The descriptors, which the thread and the watcher share; the last one to go closes them.
    fileprivate final class Channels: Sendable {
        let inotify: Int32
        let stopSignal: Int32

        init() throws(Errno) {
            inotify = inotify_init1(Int32(IN_CLOEXEC) | Int32(IN_NONBLOCK))
            guard inotify >= 0 else { throw Errno.current }
            stopSignal = cos_eventfd()
            guard stopSignal >= 0 else {
                Glibc.close(inotify)
                throw Errno(rawValue: -stopSignal)
            }
        }

        func stop() {
            var one: UInt64 = 1
            // An event descriptor at 0 always takes it.
            _ = Glibc.write(stopSignal, &one, MemoryLayout.size(ofValue: one))
        }

        deinit {
            Glibc.close(inotify)
            Glibc.close(stopSignal)
        }
    }
}

/// What the watcher's thread does.
private struct WatchLoop: Sendable {
    let channels: DirectoryWatcher.Channels
    let interval: Duration
    let handler: @Sendable (DirectoryWatcher.Notice) -> Void

    func run() {
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 64 << 10, alignment: 8)
        defer { buffer.deallocate() }
        var due = ContinuousClock.now + interval
        while true {
            var waits = [
                pollfd(fd: channels.inotify, events: Int16(POLLIN), revents: 0),
                pollfd(fd: channels.stopSignal, events: Int16(POLLIN), revents: 0),
            ]
            let left = max(.zero, due - ContinuousClock.now)
            let ready = poll(&waits, 2, Int32(clamping: left.milliseconds + 1))
            if waits[1].revents != 0 { return }
            if ContinuousClock.now >= due {
                handler(.due)
                due = ContinuousClock.now + interval
            }
            if ready > 0, waits[0].revents != 0 {
                let count = read(channels.inotify, buffer.baseAddress, buffer.count)
                if count > 0 { deliver(UnsafeRawBufferPointer(rebasing: buffer[..<count])) }
            }
        }
    }

    /// Walks over `struct inotify_event`: watch, mask, cookie, length (32 bits each), then the name with padding.
    private func deliver(_ events: UnsafeRawBufferPointer) {
        var offset = 0
        while offset + 16 <= events.count {
            let descriptor = events.loadUnaligned(fromByteOffset: offset, as: Int32.self)
            let mask = events.loadUnaligned(fromByteOffset: offset + 4, as: UInt32.self)
            let length = Int(events.loadUnaligned(fromByteOffset: offset + 12, as: UInt32.self))
            let name = events[(offset + 16)..<(offset + 16 + length)].prefix { $0 != 0 }
            offset += 16 + length
            let watch = DirectoryWatcher.Watch(descriptor: descriptor)
            if mask & UInt32(IN_Q_OVERFLOW) != 0 {
                handler(.overflowed)
            } else if mask & UInt32(IN_IGNORED) != 0 {
                handler(.removed(watch))
            } else {
                handler(.changed(watch, name: String(decoding: name, as: UTF8.self)))
            }
        }
    }
}
