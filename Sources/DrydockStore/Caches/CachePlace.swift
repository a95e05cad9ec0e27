// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

internal import DrydockModel
internal import DrydockOS
internal import FoundationEssentials
internal import Glibc
internal import SystemPackage

/// The directory of one project's cache.
struct CachePlace {
    static let new = "new"
    private static let gone = "gone-"

    let path: FilePath
    /// Its own name.
    let key: String

    /// What about.json holds.
    private struct About: Codable {
        var project: ProjectName
        var bytes: Int64
    }

    private var about: FilePath { path.appending("about.json") }

    /// The numbers of its generations, the newest last; none where there is no such directory.
    func numbers() throws(Errno) -> [Int] {
        do throws(Errno) {
            return try DirectoryHandle(path: path).sortedNames().compactMap(Int.init).sorted()
        } catch .noSuchFileOrDirectory {
            return []
        }
    }

    /// Nil where another process or build changes it at this moment.
    func lock() throws(Errno) -> OwnedLock? {
        let file = try OwnedDescriptor(opening: path.appending("lock"), O_RDWR | O_CREAT | O_NOFOLLOW)
            .release()
        do throws(Errno) {
            if try file.tryLock() { return OwnedLock(file) }
        } catch {
            try? file.close()  // the first error is the one to tell
            throw error
        }
        try? file.close()  // nothing was written
        return nil
    }

    /// Notes that a build uses it now; no more than a hint for who goes first.
    func touch() { utimensat(AT_FDCWD, about.string, nil, 0) }

    /// Notes whose it is, and how large.
    func describe(_ project: ProjectName, _ size: ByteCount) throws {
        let text = [UInt8](try JSONEncoder().encode(About(project: project, bytes: size.bytes)))
        let new = path.appending("about.new")
        let file = try OwnedDescriptor(opening: new, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW)
        try file.withDescriptor { try FileContents.write(text[...], to: $0) }
        guard rename(new.string, about.string) == 0 else { throw Errno.current }
    }

    /// Nil where nothing is kept, or nobody can tell whose it is.
    var entry: ProjectCaches.Entry? {
        guard let numbers = try? numbers(), !numbers.isEmpty,
            let status = try? fileStatus(at: about),
            let about = try? read()
        else { return nil }
        let time = status.modified
        let used = Timestamp(milliseconds: time.seconds * 1_000 + time.nanoseconds / 1_000_000)
        return ProjectCaches.Entry(project: about.project, size: ByteCount(about.bytes), used: used, key: key)
    }

    private func read() throws -> About {
        let file = try OwnedDescriptor(opening: about, O_RDONLY | O_NOFOLLOW)
        let bytes = try file.withDescriptor { try FileContents.all(of: $0, atMost: 1 << 16) }
        return try JSONDecoder().decode(About.self, from: Data(bytes))
    }

    /// Removes what is not the newest, and nobody reads; of what nobody can tell whose it is all.
    func tidy() throws {
        if entry == nil {
            _ = try removeAll()
            return
        }
        guard let lock = try lock() else { return }
        defer { lock.release() }
        let parent = try cleared()
        for old in try numbers().dropLast() {
            if let held = try hold(old) { try remove([held], in: parent) }
        }
    }

    /// Removes all of it; false, with nothing removed, where a build uses any of it: what is left would be its newest again.
    func removeAll() throws -> Bool {
        guard let lock = try lock() else { return false }
        defer { lock.release() }
        let parent = try cleared()
        var held: [Held] = []
        for number in try numbers() {
            guard let one = try hold(number) else { return false }
            held.append(one)
        }
        try remove(held, in: parent)
        // The directory and its lock stay: another process may wait at that very file.
        return true
    }

    /// The directory, without what killed processes left in it; with the lock.
    private func cleared() throws -> DirectoryHandle {
        let parent = try DirectoryHandle(path: path)
        for name in try parent.sortedNames() where name == Self.new || name.hasPrefix(Self.gone) {
            try TreeRemover.remove(name, in: parent)
        }
        return parent
    }

    /// A generation that nobody reads, and nobody comes to read.
    private struct Held {
        var number: Int
        var directory: DirectoryHandle
    }

    /// Nil where a build reads it.
    private func hold(_ number: Int) throws -> Held? {
        let directory = try DirectoryHandle(path: path.appending("\(number)"))
        let isFree = try directory.withDescriptor { file throws(Errno) in try file.tryLock() }
        return isFree ? Held(number: number, directory: directory) : nil
    }

    /// Renamed first, the newest before the others: what is half removed must not be anybody's newest.
    private func remove(_ held: [Held], in parent: DirectoryHandle) throws {
        for one in held.reversed() {
            let name = Self.gone + "\(one.number)"
            try parent.move(Array("\(one.number)".utf8)[...], to: parent, as: Array(name.utf8)[...])
        }
        for one in held { try TreeRemover.remove(Self.gone + "\(one.number)", in: parent) }
    }
}

/// A lock on a file of its own, until it is released.
final class OwnedLock: Sendable {
    private let file: FileDescriptor

    /// Takes over `file`, which is locked.
    init(_ file: FileDescriptor) { self.file = file }

    func release() { try? file.close() }  // harmless: nothing was written through it
}
