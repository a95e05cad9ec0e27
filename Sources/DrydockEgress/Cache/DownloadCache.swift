// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

package import DrydockModel
import DrydockOS
import Glibc
import Synchronization
package import SystemPackage

/// A directory with answers of hosts that are given again, whichever build asks: one file for each.
///
/// Several processes may share it. Nothing waits for the disk: a file that was not whole when the machine went down is found
/// out by its digest. All calls block.
package final class DownloadCache: Sendable {
    /// Files at a time, so that many small ones have an end, too.
    private static let mostFiles = 100_000
    /// What a file takes besides its bytes.
    private static let overhead: Int64 = 4_096
    private static let unfinished = "new-"
    /// A full disk is looked after no more often.
    private static let pause = Duration.seconds(10)

    private struct State {
        /// Bytes of files that were whole at the last sweep, or have become it since, and of others' that were not.
        var kept: Int64 = 0
        var files = 0
        /// Bytes of what this process is writing.
        var unfinished: Int64 = 0
        /// Since the sweep that is under way has begun: what its listing may lack.
        var newlyKept: Int64 = 0
        var newFiles = 0
        var isSweeping = false
        var nextRoom = ContinuousClock.now

        var taken: Int64 { kept + unfinished }
    }

    private let path: FilePath
    private let size: Int64
    private let state = Mutex(State())

    /// Opens the directory at `path`, and makes it where it is missing; what it holds is counted in a while.
    package init(at path: FilePath, size: ByteCount) throws(Errno) {
        self.path = path
        self.size = size.bytes
        try makeDirectories(path, permissions: 0o700)
        _ = try DirectoryHandle(path: path)
        if access(path.string, W_OK | X_OK) != 0 { throw Errno.current }
        sweepLater()
    }

    // MARK: Reading

    /// The answer that is kept by `key`; nil where there is none, or none that is whole.
    func open(_ key: CacheKey) -> CacheReader? {
        guard let file = try? OwnedDescriptor(opening: path.appending(key.name), O_RDONLY | O_NOFOLLOW) else {
            return nil
        }
        do throws(CacheDamage) {
            return try CacheReader(file, of: key)
        } catch {
            remove(key)
            return nil
        }
    }

    /// Forgets what is kept by `key`.
    func remove(_ key: CacheKey) {
        path.appending(key.name).withPlatformString { _ = unlink($0) }
    }

    // MARK: Writing

    /// The file of an answer that comes; nil where it can not be made.
    func begin(_ head: CachedHead, age: Int64) -> CacheWriter? {
        let name = Self.unfinished + String(UInt64.random(in: .min ... .max), radix: 16)
        do throws(Errno) {
            return try CacheWriter(head, age: age, at: path.appending(name), in: self)
        } catch {
            // Somebody has cleared it away.
            if error == .noSuchFileOrDirectory { try? makeDirectories(path, permissions: 0o700) }
            makeRoom(after: error)
            return nil
        }
    }

    /// Whether an answer with `length` bytes is worth so much of the whole.
    func takes(_ length: Int64) -> Bool { length <= size / 8 }

    /// Room for `count` bytes more of a file that has `soFar`; false where there is none.
    func reserve(_ count: Int64, soFar: Int64) -> Bool {
        let (isThere, isFull) = state.withLock { state in
            // A sweep that is behind is not waited for.
            guard takes(soFar + count), state.unfinished + count <= size / 4,
                state.taken + count <= size / 8 * 9
            else { return (false, state.taken > size) }
            state.unfinished += count
            return (true, state.taken > size)
        }
        if isFull { sweepLater() }
        return isThere
    }

    /// A file with `count` bytes is there, or has come to nothing.
    func ended(_ count: Int64, isKept: Bool) {
        let isFull = state.withLock { state in
            state.unfinished -= count
            if isKept {
                state.kept += count + Self.overhead
                state.newlyKept += count + Self.overhead
                state.files += 1
                state.newFiles += 1
            }
            return state.taken > size || state.files > Self.mostFiles
        }
        if isFull { sweepLater() }
    }

    /// Moves a file that is whole to its place.
    func name(_ file: FilePath, by key: CacheKey) throws(Errno) {
        let isNamed = file.withPlatformString { from in
            path.appending(key.name).withPlatformString { rename(from, $0) == 0 }
        }
        if !isNamed { throw Errno.current }
    }

    /// Where the disk is full, half of what is kept goes.
    func makeRoom(after problem: Errno) {
        guard problem == .noSpace || problem == .diskQuotaExceeded else { return }
        let isTime = state.withLock { state in
            guard state.nextRoom <= .now else { return false }
            state.nextRoom = .now + Self.pause
            return true
        }
        if isTime { sweepAlone { kept, _ in kept / 2 } }
    }

    // MARK: Sweeping

    private struct Kept {
        let name: [UInt8]
        let bytes: Int64
        let used: FileTime
    }

    private func sweepLater() {
        Blocking.start { [self] in sweepAlone { _, unfinished in size - unfinished } }
    }

    /// Sweeps, unless somebody in this process does already.
    private func sweepAlone(to most: (_ kept: Int64, _ unfinished: Int64) -> Int64) {
        let begins = state.withLock { state in
            defer { state.isSweeping = true }
            return !state.isSweeping
        }
        guard begins else { return }
        sweep(to: most)
        state.withLock { $0.isSweeping = false }
    }

    /// Counts what is there and, where that is more than `most` bytes, removes what was not used for longest, and a tenth more.
    func sweep(to most: (_ kept: Int64, _ unfinished: Int64) -> Int64) {
        state.withLock { state in
            state.newlyKept = 0
            state.newFiles = 0
        }
        guard let directory = try? DirectoryHandle(path: path), let names = try? directory.names() else {
            return
        }
        var kept: [Kept] = []
        var others: Int64 = 0
        for name in names {
            guard let status = try? directory.status(of: name[...]), status.kind == .file else { continue }
            if name.starts(with: Self.unfinished.utf8) {
                if !removeAbandoned(name) { others += status.allocated }
            } else if CacheKey.isName(name) {
                kept.append(
                    Kept(name: name, bytes: status.allocated + Self.overhead, used: status.accessed)
                )
            }
        }
        var bytes = kept.reduce(0) { $0 + $1.bytes }
        var files = kept.count
        let unfinished = state.withLock { $0.unfinished }
        let goal = most(bytes, max(others, unfinished))
        if bytes > goal || files > Self.mostFiles {
            kept.sort { $0.used < $1.used }
            for file in kept where bytes > goal / 10 * 9 || files > Self.mostFiles / 10 * 9 {
                do throws(Errno) {
                    try directory.removeFile(file.name[...])
                } catch {
                    // Another process has; what stays is counted next time.
                    if error != .noSuchFileOrDirectory { continue }
                }
                bytes -= file.bytes
                files -= 1
            }
        }
        state.withLock { state in
            state.kept = bytes + max(others - unfinished, 0) + state.newlyKept
            state.files = files + state.newFiles
        }
    }

    /// Removes an unfinished file that nobody is writing any more; whether there was one.
    private func removeAbandoned(_ name: [UInt8]) -> Bool {
        let file = path.appending(String(decoding: name, as: UTF8.self))
        guard let open = try? OwnedDescriptor(opening: file, O_RDONLY | O_NOFOLLOW | O_NONBLOCK),
            (try? open.withDescriptor { file throws(Errno) in try file.tryLock() }) == true
        else { return false }
        return file.withPlatformString { unlink($0) == 0 }
    }
}
