// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import DrydockModel
import DrydockOS
import Glibc
package import SystemPackage

/// A project that nobody would write, for trying what a plugin makes of it: names with newlines, spaces and bytes that are
/// no UTF-8, links in a ring, deep folders, and one endless line in each file that the plugin looks for.
package enum HostileProject {
    private static let depth = 90
    private static let line = 1 << 20

    /// Makes it below `path`, an empty directory, for a plugin that looks for `globs`.
    package static func make(at path: FilePath, globs: [String]) throws(Errno) {
        let top = path.string
        let names: [[UInt8]] = [
            Array("two\nlines.txt".utf8), Array(" a b ".utf8), Array("-rf".utf8),
            Array("$(exit 3)`exit 3`.c".utf8),
            Array("quote'\".txt".utf8), Array("@dd end ok".utf8), [0xFF, 0xFE] + Array(".txt".utf8),
        ]
        for name in names { try write("\n", to: Array("\(top)/".utf8) + name) }
        try check(symlink("ring", "\(top)/ring"))
        try check(symlink("nowhere", "\(top)/dangling"))
        var folder = top
        for _ in 0..<depth {
            folder += "/d"
            try check(mkdir(folder, 0o755))
        }
        for name in globs.prefix(20).compactMap(name(fitting:)) {
            let text = String(repeating: "[", count: line)
            try write(text, to: Array("\(top)/\(name)".utf8))
        }
    }

    /// A name that fits a glob; nil where none was found.
    private static func name(fitting glob: String) -> String? {
        var name = ""
        var rest = glob[...]
        while let character = rest.popFirst() {
            switch character {
            case "*", "?": name.append("x")
            case "[":
                guard let close = rest.dropFirst().firstIndex(of: "]"), let first = rest.first else {
                    return nil
                }
                name.append(first == "!" ? "_" : first)
                rest = rest[rest.index(after: close)...]
            default: name.append(character)
            }
        }
        return Glob.matches(glob, name) ? name : nil
    }

    private static func write(_ text: String, to path: [UInt8]) throws(Errno) {
        let name = (path + [0]).map(CChar.init(bitPattern:))
        let descriptor = open(name, O_WRONLY | O_CREAT | O_EXCL, 0o644)
        // Two globs may be for one name.
        if descriptor < 0, Errno.current == .fileExists { return }
        try check(descriptor)
        let file = OwnedDescriptor(taking: FileDescriptor(rawValue: descriptor))
        try file.withDescriptor { file throws(Errno) in
            do { _ = try file.writeAll(text.utf8) } catch { throw (error as? Errno) ?? .ioError }
        }
    }

    private static func check(_ result: Int32) throws(Errno) {
        if result < 0 { throw Errno.current }
    }
}
