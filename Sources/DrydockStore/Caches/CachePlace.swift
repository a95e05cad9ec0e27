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
    private static let gone = "gone"

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
    func describe(_ project: ProjectName, bytes: Int64) throws {
        let text = [UInt8](try JSONEncoder().encode(About(project: project, bytes: bytes)))
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
        let used = Timestamp(milliseconds: status.modified.seconds * 1_000)
        return ProjectCaches.Entry(project: about.project, size: ByteCount(about.bytes), used: used, key: key)
    }

    private func read() throws -> About {
        let file = try OwnedDescriptor(opening: about, O_RDONLY | O_NOFOLLOW)
        let bytes = try file.withDescriptor { try FileContents.all(of: $0, atMost: 1 << 16) }
        return try JSONDecoder().decode(About.self, from: Data(bytes))
    }

    /// Removes what came before `number`, but what a build still reads: that goes when the next one is kept.
    func removeGenerations(before number: Int, in parent: DirectoryHandle) throws {
        try TreeRemover.remove(Self.gone, in: parent)
        for old in try numbers() where old < number { try remove(old, in: parent) }
    }

    /// Whether nobody was reading it.
    @discardableResult
    private func remove(_ number: Int, in parent: DirectoryHandle) throws -> Bool {
        let name = "\(number)"
        let directory = try OwnedDescriptor(
            opening: path.appending(name),
            O_RDONLY | O_DIRECTORY | O_NOFOLLOW
        )
        return try directory.withDescriptor { descriptor in
            guard try descriptor.tryLock() else { return false }
            // In one step: what is half removed must not be anybody's newest.
            try parent.move(Array(name.utf8)[...], to: parent, as: Array(Self.gone.utf8)[...])
            try TreeRemover.remove(Self.gone, in: parent)
            return true
        }
    }

    /// Removes all generations but the newest, as far as nobody reads them.
    func removeOld() throws {
        guard let newest = try numbers().last, let lock = try lock() else { return }
        defer { lock.release() }
        try removeGenerations(before: newest, in: try DirectoryHandle(path: path))
    }

    /// Removes all of it; false, with what is read left there, where a build uses it.
    func removeAll() throws -> Bool {
        guard let lock = try lock() else { return false }
        defer { lock.release() }
        let parent = try DirectoryHandle(path: path)
        try TreeRemover.remove(Self.gone, in: parent)
        try TreeRemover.remove(Self.new, in: parent)
        var isFree = true
        for number in try numbers() where try !remove(number, in: parent) { isFree = false }
        // The directory and its lock stay: another process may wait at that very file.
        return isFree
    }
}

/// A lock on a file of its own, until it is released.
final class OwnedLock {
    private let file: FileDescriptor

    /// Takes over `file`, which is locked.
    init(_ file: FileDescriptor) { self.file = file }

    func release() { try? file.close() }  // harmless: nothing was written through it
}
