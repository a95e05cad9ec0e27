// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import DrydockModel
import DrydockOS
import Glibc
import SystemPackage

/// Wakes whoever waits, in this process and in others: one inotify descriptor and one thread a store.
///
/// A bell is a file that is written when something changed; what changed is then looked up. A safety look every two
/// seconds covers a bell that could not be written (disk full) or a notice the kernel dropped.
final class Bells: Sendable {
    enum Bell: String {
        /// Some build changed.
        case changes
        /// Somebody put a request for a worker into the mailbox.
        case mailbox
    }

    private let directory: DataDirectory
    private let switchboard: Switchboard
    private let watcher: DirectoryWatcher
    private let files: BellFiles

    init(_ directory: DataDirectory, _ database: StoreDatabase) throws(StoreError) {
        self.directory = directory
        files = try BellFiles(directory.bells)
        let made = Switchboard(database)
        switchboard = made
        do {
            watcher = try DirectoryWatcher(dueEvery: .seconds(2)) { made.dispatch($0) }
            made.listen(toBellsAt: try watcher.add(directory.bells))
        } catch {
            throw .system("watching", directory.bells, error)
        }
    }

    func ring(_ bell: Bell) { files.ring(bell) }

    func changes() -> AsyncStream<Void> { switchboard.changes() }

    func cancelRequests(of attempt: AttemptID) async -> AsyncStream<CancelRequest> {
        let requests = switchboard.cancelRequests(of: attempt)
        await switchboard.lookIntoMailbox()
        return requests
    }

    /// Follows an attempt's segment, which need not exist yet, until the result is released.
    func follow(_ build: BuildID, _ attempt: AttemptID) async throws -> Following {
        let segments = directory.segments(of: build)
        try await Blocking.run { () throws(StoreError) in try DataDirectory.make(segments) }
        try await switchboard.follow(build, attempt) { () throws(StoreError) in
            try watch(segments)
        }
        return Following(bells: self, build: build, attempt: attempt)
    }

    private func watch(_ segments: FilePath) throws(StoreError) -> DirectoryWatcher.Watch {
        do {
            return try watcher.add(segments)
        } catch {
            throw .system("watching", segments, error)
        }
    }

    fileprivate func unfollow(_ build: BuildID, _ attempt: AttemptID) {
        switchboard.unfollow(build, attempt) { watcher.remove($0) }
    }

    fileprivate func moment(_ build: BuildID, _ attempt: AttemptID) -> Switchboard.Moment {
        switchboard.moment(build, attempt)
    }

    fileprivate func wait(_ build: BuildID, _ attempt: AttemptID, after moment: Switchboard.Moment) async {
        await switchboard.wait(build, attempt, after: moment)
    }

    fileprivate func end(_ build: BuildID, _ attempt: AttemptID) { switchboard.end(build, attempt) }

    /// Ends all streams and wakes all readers for the last time.
    func close() { switchboard.close() }
}

/// The right to be woken about one attempt, for as long as it is held.
final class Following: Sendable {
    private let bells: Bells
    private let build: BuildID
    private let attempt: AttemptID

    fileprivate init(bells: Bells, build: BuildID, attempt: AttemptID) {
        self.bells = bells
        self.build = build
        self.attempt = attempt
    }

    /// How things stand now; taken before a look at the file, so that nothing can be missed between look and wait.
    func moment() -> Switchboard.Moment { bells.moment(build, attempt) }

    /// Returns when something happened after `moment`, or the task was cancelled.
    func wait(after moment: Switchboard.Moment) async { await bells.wait(build, attempt, after: moment) }

    /// Remembers that nobody appends to the attempt any more.
    func end() { bells.end(build, attempt) }

    deinit { bells.unfollow(build, attempt) }
}

/// The bell files, open for ringing.
private final class BellFiles: Sendable {
    private let changes: OwnedDescriptor
    private let mailbox: OwnedDescriptor

    init(_ directory: FilePath) throws(StoreError) {
        changes = try Self.open(.changes, directory)
        mailbox = try Self.open(.mailbox, directory)
    }

    private static func open(_ bell: Bells.Bell, _ directory: FilePath) throws(StoreError) -> OwnedDescriptor
    {
        let path = directory.appending(bell.rawValue)
        do throws(Errno) {
            return try OwnedDescriptor(opening: path, O_WRONLY | O_CREAT | O_NOFOLLOW)
        } catch {
            throw .system("opening", path, error)
        }
    }

    /// Writes one byte over the one that is there; the file does not grow.
    func ring(_ bell: Bells.Bell) {
        switch bell {
        case .changes: Self.ring(changes)
        case .mailbox: Self.ring(mailbox)
        }
    }

    private static func ring(_ file: borrowing OwnedDescriptor) {
        file.withDescriptor { file in
            var byte = UInt8(ascii: "!")
            _ = pwrite(file.rawValue, &byte, 1, 0)  // what fails here, the safety look makes up for
        }
    }
}
