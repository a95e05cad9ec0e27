// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import DrydockModel
import DrydockOS
import SystemPackage

extension DataDirectory {
    /// The names in `directory`, sorted, without those that begin with a dot.
    static func names(in directory: FilePath) throws(StoreError) -> [String] {
        do throws(Errno) {
            return try DirectoryHandle(path: directory).sortedNames().filter { !$0.hasPrefix(".") }
        } catch {
            throw .system("listing", directory, error)
        }
    }

    /// The names of the folders in `directory`, sorted; what is none goes to `stray`, and so does a disk's own.
    static func folders(
        in directory: FilePath,
        stray: (FilePath) -> Void = { _ in }
    ) throws(StoreError) -> [String] {
        try names(in: directory).filter { name in
            let path = directory.appending(name)
            // What has just gone is no folder either, but not to be told.
            guard let status = try? fileStatus(at: path) else { return false }
            if status.kind == .directory, name != "lost+found" { return true }
            stray(path)
            return false
        }
    }

    /// The attempts of a build that have a journal, oldest first; none where there is no folder.
    func attemptsWithJournals(of build: BuildID, onlyPlain: Bool = false) throws(StoreError) -> [AttemptID] {
        var attempts: Set<String> = []
        do throws(Errno) {
            for name in try DirectoryHandle(path: segments(of: build)).sortedNames()
            where !name.hasPrefix(".") {
                for ending in onlyPlain ? [".ndjson"] : [".ndjson", ".sealed"] where name.hasSuffix(ending) {
                    attempts.insert(String(name.dropLast(ending.count)))
                }
            }
        } catch .noSuchFileOrDirectory {
            return []
        } catch {
            throw .system("listing", segments(of: build), error)
        }
        return attempts.sorted().map(AttemptID.init(rawValue:))
    }

    /// Bytes of a build's journals; 0 where there are none.
    func sizeOfSegments(of build: BuildID) throws(StoreError) -> Int64 {
        do throws(Errno) {
            let folder = try DirectoryHandle(path: segments(of: build))
            var size: Int64 = 0
            for name in try folder.names() { size += try folder.status(of: name[...]).size }
            return size
        } catch .noSuchFileOrDirectory {
            return 0
        } catch {
            throw .system("reading", segments(of: build), error)
        }
    }

    /// Removes a build's journals; fine when there are none.
    func removeSegments(of build: BuildID) throws(StoreError) {
        do {
            try TreeRemover.remove(build.rawValue, in: DirectoryHandle(path: segments))
        } catch let error as RemoveError {
            throw .system("removing", segments(of: build), error.errno)
        } catch {
            throw .system("removing", segments(of: build), error as? Errno ?? .ioError)
        }
    }
}
