// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

package import DrydockModel

/// A path below some directory: `/`-separated bytes without empty, `.` or `..` components.
///
/// Names on Linux are bytes, so a path keeps what it was given even where that is not UTF-8.
package struct TreePath: Hashable, Sendable {
    /// Empty for the directory itself.
    package let bytes: [UInt8]

    /// The directory itself.
    package static let root = TreePath(unchecked: [])

    private init(unchecked bytes: [UInt8]) { self.bytes = bytes }

    /// Reads a relative path as archives and people write it, by `PathRule`.
    package init(parsing text: some Sequence<UInt8>) throws(PathProblem) {
        bytes = Array(try PathRule.names(in: Array(text)).joined(separator: [UInt8(ascii: "/")]))
    }

    /// The same path, whose rule is the same.
    package init(of path: RelativePath) { self.init(unchecked: Array(path.prefix.utf8)) }

    /// The names from the top; none for the directory itself.
    package var components: [ArraySlice<UInt8>] { bytes.split(separator: UInt8(ascii: "/")) }

    /// The number of names.
    package var depth: Int { bytes.isEmpty ? 0 : components.count }

    /// The last name; empty for the directory itself.
    package var name: ArraySlice<UInt8> {
        guard let slash = bytes.lastIndex(of: UInt8(ascii: "/")) else { return bytes[...] }
        return bytes[(slash + 1)...]
    }

    /// The directory it lies in; the directory itself for a single name.
    package var parent: TreePath {
        guard let slash = bytes.lastIndex(of: UInt8(ascii: "/")) else { return .root }
        return TreePath(unchecked: Array(bytes[..<slash]))
    }

    /// The path of `name` in this directory; `name` comes from a directory listing and is not checked.
    package func appending(_ name: some Sequence<UInt8>) -> TreePath {
        TreePath(unchecked: bytes.isEmpty ? Array(name) : bytes + [UInt8(ascii: "/")] + name)
    }

    /// As text; nil where it is not UTF-8.
    package var text: String? { String(validating: bytes, as: UTF8.self) }

    /// Whether a symbolic link at this path with `target` leads to a place below the directory.
    ///
    /// `..` counts only at the front of a target: there it climbs from a real directory. After a name it would climb
    /// from wherever that name leads, and a chain of links, each harmless by its text, could leave that way.
    package func linkStaysInside(target: some Sequence<UInt8>) -> Bool {
        let target = Array(target)
        if target.isEmpty || target.first == UInt8(ascii: "/") || target.contains(0) { return false }
        let components = target.split(separator: UInt8(ascii: "/")).filter { $0 != [UInt8(ascii: ".")] }
        let climbs = components.prefix { $0.elementsEqual("..".utf8) }.count
        let climbsLater = components.dropFirst(climbs).contains { $0.elementsEqual("..".utf8) }
        return climbs <= depth - 1 && !climbsLater
    }
}

extension TreePath: CustomStringConvertible {
    /// Safe to show: control characters and bytes that are not UTF-8 are escaped, long paths are clipped.
    package var description: String { TreePath.shown(bytes) }

    private static let longestShown = 200

    /// Any file name or link target as text that is safe to show.
    package static func shown(_ bytes: some Sequence<UInt8>) -> String {
        let decoded = String(decoding: Array(bytes).prefix(1_024), as: UTF8.self)
        var text = ""
        for scalar in decoded.unicodeScalars.prefix(longestShown) {
            text +=
                scalar.properties.generalCategory == .control ? scalar.escaped(asASCII: true) : String(scalar)
        }
        return decoded.unicodeScalars.count > longestShown ? text + "…" : text
    }
}
