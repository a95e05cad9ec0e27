// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

internal import Glibc

/// Looks at the host's files, without opening them.
enum HostFile {
    enum Kind: Hashable {
        case missing
        case link(to: String)
        case other
    }

    static func kind(of path: String) -> Kind {
        var found = stat()
        guard lstat(path, &found) == 0 else { return .missing }
        guard found.st_mode & S_IFMT == S_IFLNK else { return .other }
        return linkTarget(of: path).map(Kind.link) ?? .missing
    }

    /// Where a symbolic link leads, as it is written; nil when it is none.
    static func linkTarget(of path: String) -> String? {
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

    /// The names in a directory, sorted, without `.` and `..`; none when it can not be read.
    static func names(in directory: String) -> [String] {
        guard let stream = opendir(directory) else { return [] }
        defer { closedir(stream) }
        var names: [String] = []
        while let entry = readdir(stream) {
            let name = withUnsafeBytes(of: entry.pointee.d_name) { bytes in
                String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
            }
            if name != "." && name != ".." { names.append(name) }
        }
        return names.sorted()
    }

    /// Whether it can be executed by this process.
    static func isExecutable(_ path: String) -> Bool { access(path, X_OK) == 0 }

    /// The first bytes of a small text file, without white space around; nil when it can not be read.
    static func text(of path: String, longest: Int = 4_096) -> String? {
        let file = open(path, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { return nil }
        defer { close(file) }
        var bytes = [UInt8](repeating: 0, count: longest)
        var length = 0
        while length < longest {
            let count = bytes.withUnsafeMutableBytes {
                read(file, $0.baseAddress?.advanced(by: length), longest - length)
            }
            guard count >= 0 else { return nil }
            if count == 0 { break }
            length += count
        }
        let text = String(decoding: bytes[..<length], as: UTF8.self)
        return String(text.drop(while: \.isWhitespace).reversed().drop(while: \.isWhitespace).reversed())
    }
}
