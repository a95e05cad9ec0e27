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
    private let descriptor: Int32
    private let beats = Mutex<UInt64>(0)

    /// Takes the lock for as long as the result lives; nil when somebody else holds it.
    ///
    /// `note`: one line.
    package static func take(_ path: FilePath, note: String = "") throws(Errno) -> LivenessLock? {
        let descriptor = open(path.string, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard descriptor >= 0 else { throw Errno(rawValue: errno) }
        var tries = 20
        do throws(Errno) {
            // Somebody who only looks holds it for a moment.
            while try !FileDescriptor(rawValue: descriptor).tryLock() {
                tries -= 1
                guard tries > 0 else {
                    close(descriptor)
                    return nil
                }
                usleep(5_000)
            }
        } catch {
            close(descriptor)
            throw error
        }
        let lock = LivenessLock(path, descriptor)
        try lock.introduce(note)
        return lock
    }

    private init(_ path: FilePath, _ descriptor: Int32) {
        self.path = path
        self.descriptor = descriptor
    }

    private func introduce(_ note: String) throws(Errno) {
        let text = Self.count(0) + "\n" + (try ProcessIdentity.current().text) + "\n" + note + "\n"
        let bytes = Array(text.utf8)
        // One write, so that nobody reads half of it; what stood behind it before is cut off after.
        guard pwrite(descriptor, bytes, bytes.count, 0) == bytes.count,
            ftruncate(descriptor, off_t(bytes.count)) == 0
        else { throw Errno(rawValue: errno) }
    }

    /// Shows that this process works; a beat that can not be written is missed by those who look.
    package func beat() {
        let count = beats.withLock { beats in
            beats &+= 1
            return Self.count(beats)
        }
        _ = pwrite(descriptor, count, count.utf8.count, 0)
    }

    /// Lets go and takes the file away; for files that are of one process only.
    package func remove() { unlink(path.string) }

    deinit { close(descriptor) }

    private static func count(_ number: UInt64) -> String {
        let text = String(number)
        return String(repeating: "0", count: digits - text.utf8.count) + text
    }

    // MARK: Looking

    /// How the lock at `path` stands; free when there is no such file.
    package static func status(of path: FilePath) throws(Errno) -> Status {
        let descriptor = open(path.string, O_RDONLY | O_CLOEXEC | O_NOFOLLOW)
        if descriptor < 0, errno == ENOENT { return .free }
        guard descriptor >= 0 else { throw Errno(rawValue: errno) }
        defer { close(descriptor) }
        // A shared lock, for a moment: those who look do not take it from each other.
        if try FileDescriptor(rawValue: descriptor).tryLock(shared: true) { return .free }
        return .held(content(of: descriptor))
    }

    /// Who held the lock at `path` last, whether it is held or not; nil when nothing readable is there.
    package static func lastHolder(of path: FilePath) -> Holder? {
        let descriptor = open(path.string, O_RDONLY | O_CLOEXEC | O_NOFOLLOW)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        return content(of: descriptor)
    }

    private static func content(of descriptor: Int32) -> Holder? {
        var buffer = [UInt8](repeating: 0, count: longest)
        let count = pread(descriptor, &buffer, buffer.count, 0)
        guard count > 0 else { return nil }
        let lines = String(decoding: buffer[..<count], as: UTF8.self)
            .split(separator: "\n", omittingEmptySubsequences: false)
        guard lines.count >= 3, let beats = UInt64(lines[0]),
            let process = ProcessIdentity(text: lines[1])
        else { return nil }
        return Holder(process: process, beats: beats, note: String(lines[2]))
    }
}
