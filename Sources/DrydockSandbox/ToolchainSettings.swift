// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

internal import DrydockOS
internal import Glibc

/// The directories of `/etc` that toolchains read, as far as they show nothing that a build must not see.
///
/// Looks through each of them, so that a worker asks once, when it starts, and not for each build.
package enum ToolchainSettings {
    /// Names; a `*` at the end stands for anything.
    private static let known = [
        "ant", "chromium", "chromium.d", "dotnet", "fonts", "gradle", "java-*", "maven", "mono", "perl",
        "python3*", "sgml", "texmf", "xml",
    ]
    /// A directory with more than this in it is not looked through, and not shown.
    private static let mostEntries = 4_096

    /// Those that are there, sorted, as absolute paths.
    ///
    /// `owner` is whom all of it must belong to: somebody else's could be changed while it is shown.
    package static func find(in directory: String = "/etc", owner: UInt32 = 0) -> [String] {
        HostFile.names(in: directory).sorted()
            .filter { name in known.contains { matches(name, $0) } }
            .map { "\(directory)/\($0)" }
            .filter { isHarmless($0, owner: owner) }
    }

    /// Whether `path` is a directory of `owner`'s in which everything can be read by everybody, is written by nobody
    /// else, and has no name that secrets go by.
    package static func isHarmless(_ path: String, owner: UInt32 = 0) -> Bool {
        guard let top = status(path), top.st_mode & S_IFMT == S_IFDIR else { return false }
        var waiting = [path]
        var seen = 0
        while let directory = waiting.popLast() {
            guard let found = status(directory), isOpen(found, owner) else { return false }
            guard found.st_mode & S_IFMT == S_IFDIR else { continue }
            let names = HostFile.names(in: directory)
            seen += names.count
            guard seen <= mostEntries, !names.contains(where: isSecret) else { return false }
            waiting += names.map { "\(directory)/\($0)" }
        }
        return !isSecret(String(path.split(separator: "/").last ?? ""))
    }

    private static func isOpen(_ found: stat, _ owner: UInt32) -> Bool {
        guard found.st_uid == owner else { return false }
        // A link is shown as a link: where it leads decides what can be read through it.
        if found.st_mode & S_IFMT == S_IFLNK { return true }
        // Others read, and enter a directory; neither they nor the group write.
        if found.st_mode & S_IFMT == S_IFDIR { return found.st_mode & 0o027 == 0o005 }
        return found.st_mode & S_IFMT == S_IFREG && found.st_mode & 0o026 == 0o004
    }

    private static func isSecret(_ name: String) -> Bool {
        let name = name.lowercased()
        // Of Debian's chromium: what everybody gets with the package.
        if name == "apikeys" { return false }
        return name.contains("private") || name.contains("shadow") || name.contains("secret")
            || name.contains("password") || name.hasSuffix(".key") || name.hasSuffix("keys")
            || name.hasPrefix("id_") || name.hasSuffix(".p12") || name.hasSuffix(".jks")
    }

    private static func matches(_ name: String, _ pattern: String) -> Bool {
        pattern.last == "*" ? name.hasPrefix(pattern.dropLast()) : name == pattern
    }

    private static func status(_ path: String) -> stat? {
        var found = stat()
        return lstat(path, &found) == 0 ? found : nil
    }
}
