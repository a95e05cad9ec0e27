// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

internal import Glibc
internal import SystemPackage

/// Looks at files of the machine by their paths; what can not be looked at counts as not there.
package enum HostFile {
    package enum Kind: Hashable, Sendable {
        case missing
        case link(to: String)
        case other
    }

    package static func kind(of path: String) -> Kind {
        var found = stat()
        guard lstat(path, &found) == 0 else { return .missing }
        guard found.st_mode & S_IFMT == S_IFLNK else { return .other }
        return linkTarget(of: path).map(Kind.link) ?? .missing
    }

    /// Where a symbolic link leads, as it is written; nil when it is none.
    package static func linkTarget(of path: String) -> String? {
        withUnsafeTemporaryAllocation(of: CChar.self, capacity: Int(PATH_MAX)) { buffer in
            guard let base = buffer.baseAddress else { return nil }
            let count = readlink(path, base, buffer.count)
            guard count > 0, count < buffer.count else { return nil }
            return String(
                decoding: UnsafeRawBufferPointer(rebasing: UnsafeRawBufferPointer(buffer)[..<count]),
                as: UTF8.self
            )
        }
    }

    /// The names in a directory, in no order.
    package static func names(in directory: String) -> [String] {
        let names = try? DirectoryHandle(path: FilePath(directory)).names()
        return (names ?? []).map { String(decoding: $0, as: UTF8.self) }
    }

    /// Whether it can be executed by this process.
    package static func isExecutable(_ path: String) -> Bool { access(path, X_OK) == 0 }

    /// The first bytes of a small text file, without white space around.
    package static func text(of path: String, longest: Int = 4_096) -> String? {
        guard let bytes = try? beginning(of: path, longest: longest) else { return nil }
        let text = String(decoding: bytes, as: UTF8.self)
        return String(text.drop(while: \.isWhitespace).reversed().drop(while: \.isWhitespace).reversed())
    }

    private static func beginning(of path: String, longest: Int) throws(Errno) -> [UInt8] {
        let file = try OwnedDescriptor(opening: FilePath(path), O_RDONLY)
        return try file.withDescriptor { file throws(Errno) in
            try FileContents.beginning(of: file, atMost: longest)
        }
    }
}
