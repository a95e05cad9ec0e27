// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

internal import Glibc
internal import Synchronization
package import SystemPackage

/// A file that a living process holds locked, with who that is, and a count that goes on as long as it works.
///
/// The kernel lets go of the lock when the process ends, however it ends; a process that hangs keeps the lock, and its
/// count stands still. Source: man 2 flock.
package final class LivenessLock: Sendable {
    /// What stands in the file of a lock that is held.
    package struct Holder: Hashable, Sendable {
        package var process: ProcessIdentity
        /// Rises while the process works.
        package var beats: UInt64
        /// What it has to say about itself.
        package var note: String

        package init(process: ProcessIdentity, beats: UInt64, note: String) {
            self.process = process
            self.beats = beats
            self.note = note
        }
    }

    /// Whether somebody holds it.
    package enum Status: Hashable, Sendable {
        case free
        /// nil: the holder has just taken it, and not written yet who it is.
        case held(Holder?)
    }

    /// Digits of the count: it is overwritten in place, so its length stays.
    private static let digits = 20
    private static let longest = 1 << 10

    private let path: FilePath
    private let file: OwnedDescriptor
    private let beats = Mutex<UInt64>(0)

    /// Takes the lock for as long as the result lives; nil when somebody else holds it.
    ///
    /// `note`: one line.
    package static func take(_ path: FilePath, note: String = "") throws(Errno) -> LivenessLock? {
        let file = try OwnedDescriptor(opening: path, O_RDWR | O_CREAT | O_NOFOLLOW)
        var tries = 20
        // Somebody who only looks holds it for a moment.
        while try !file.withDescriptor({ file throws(Errno) in try file.tryLock() }) {
            tries -= 1
            guard tries > 0 else { return nil }
            usleep(5_000)
        }
        let lock = LivenessLock(path, file)
        try lock.introduce(note)
        return lock
    }

    private init(_ path: FilePath, _ file: consuming OwnedDescriptor) {
        self.path = path
        self.file = file
    }

    private func introduce(_ note: String) throws(Errno) {
        let text = Self.count(0) + "\n" + (try ProcessIdentity.current().text) + "\n" + note + "\n"
        let bytes = Array(text.utf8)
        // One write, so that nobody reads half of it; what stood behind it before is cut off after.
        try file.withDescriptor { file throws(Errno) in
            guard pwrite(file.rawValue, bytes, bytes.count, 0) == bytes.count,
                ftruncate(file.rawValue, off_t(bytes.count)) == 0
            else { throw Errno.current }
        }
    }

    /// Shows that this process works; a beat that can not be written is missed by those who look.
    package func beat() {
        let count = beats.withLock { beats in
            beats &+= 1
            return Self.count(beats)
        }
        file.withDescriptor { file in _ = pwrite(file.rawValue, count, count.utf8.count, 0) }
    }

    /// Lets go and takes the file away; for files that are of one process only.
    package func remove() { unlink(path.string) }

    private static func count(_ number: UInt64) -> String {
        let text = String(number)
        return String(repeating: "0", count: digits - text.utf8.count) + text
    }

    // MARK: Looking

    /// How the lock at `path` stands; free when there is no such file.
    package static func status(of path: FilePath) throws(Errno) -> Status {
        guard let file = try opened(path) else { return .free }
        return try file.withDescriptor { file throws(Errno) in
            // A shared lock, for a moment: those who look do not take it from each other.
            try file.tryLock(shared: true) ? .free : .held(content(of: file))
        }
    }

    /// Who held the lock at `path` last, whether it is held or not; nil when nothing readable is there.
    package static func lastHolder(of path: FilePath) -> Holder? {
        guard let file = try? opened(path) else { return nil }
        return file.withDescriptor { content(of: $0) }
    }

    private static func opened(_ path: FilePath) throws(Errno) -> OwnedDescriptor? {
        do throws(Errno) {
            return try OwnedDescriptor(opening: path, O_RDONLY | O_NOFOLLOW)
        } catch .noSuchFileOrDirectory {
            return nil
        }
    }

    private static func content(of file: FileDescriptor) -> Holder? {
        guard let bytes = try? FileContents.read(file, from: 0, count: longest) else { return nil }
        let lines = String(decoding: bytes, as: UTF8.self)
            .split(separator: "\n", omittingEmptySubsequences: false)
        guard lines.count >= 3, let beats = UInt64(lines[0]),
            let process = ProcessIdentity(text: lines[1])
        else { return nil }
        return Holder(process: process, beats: beats, note: String(lines[2]))
    }
}
