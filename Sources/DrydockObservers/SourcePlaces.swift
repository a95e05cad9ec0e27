// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import Synchronization

/// Where file names that a tool prints lie in the source, if they do.
package final class SourcePlaces: Sendable {
    /// Where the source is, inside.
    private let root: String
    /// Where the command runs, relative to the source; empty = its top.
    private let directory: String
    /// Whether a relative path is a file of the source as it was before anything ran.
    private let isInSource: @Sendable (String) -> Bool
    /// The one file of the source whose path ends in this; nil = none, or several.
    private let search: @Sendable (String) -> String?
    /// What that said: a tool may name a file a million times, and as many files.
    private let known = Mutex<[String: Bool]>([:])
    private let searched = Mutex<[String: String?]>([:])

    /// Files whose place in the source is looked up; those that are there, and those that are not.
    private static let mostFiles = 2_000

    package init(
        root: String,
        directory: String,
        isInSource: @escaping @Sendable (String) -> Bool,
        search: @escaping @Sendable (String) -> String? = { _ in nil }
    ) {
        self.root = root
        self.directory = directory
        self.isInSource = isInSource
        self.search = search
    }

    /// The file's path relative to the source; nil where it is none of it.
    ///
    /// `entered` is the directory that the tool says it works in.
    package func place(of name: String, entered: String? = nil) -> String? {
        guard !name.isEmpty, name.utf8.count <= 4_096, !name.utf8.contains(0) else { return nil }
        if let entered, let path = relative(name, to: entered), isKnown(path) { return path }
        if !directory.isEmpty, let path = relative(name, to: directory), isKnown(path) { return path }
        if let path = relative(name, to: ""), isKnown(path) { return path }
        // From a build directory that nobody told: `../src/main.c`.
        var rest = name[...]
        while rest.hasPrefix("../") { rest = rest.dropFirst(3) }
        guard rest.utf8.count < name.utf8.count, let path = relative(String(rest), to: ""), isKnown(path)
        else {
            return nil
        }
        return path
    }

    /// The same, where the end of the path may do.
    package func file(named name: String) -> String? { place(of: name) ?? search(name: name) }

    /// The places as a tool means them that says it works in a directory.
    struct Entered: Sendable {
        let places: SourcePlaces
        let directory: String?

        /// The file's path relative to the source; nil where it is none of it.
        ///
        /// `searches`: the end of the path may do.
        func callAsFunction(_ name: String, searches: Bool) -> String? {
            places.place(of: name, entered: directory) ?? (searches ? places.search(name: name) : nil)
        }
    }

    private func search(name: String) -> String? {
        guard !name.hasPrefix("/"), let ending = relative(name, to: "") else { return nil }
        return searched.withLock { searched in
            if let answer = searched[ending] { return answer }
            // Each answer is a walk through names: one that names so many files means none.
            guard searched.count < Self.mostFiles else { return nil }
            let answer = search(ending)
            searched[ending] = answer
            return answer
        }
    }

    private func isKnown(_ path: String) -> Bool {
        known.withLock { known in
            if let answer = known[path] { return answer }
            let answer = isInSource(path)
            // What names ever new files is asked ever anew: it keeps no memory, and takes no place from the others.
            if known.count < Self.mostFiles { known[path] = answer }
            return answer
        }
    }

    /// A directory that the tool works in, as `place` takes it.
    func directory(named name: String) -> String { relative(name, to: directory) ?? name }

    /// `name`, from the source's top and without `.` and `..`; nil where it leads out.
    private func relative(_ name: String, to base: String) -> String? {
        var name = name[...]
        if name.hasPrefix(root + "/") {
            name = name.dropFirst(root.count + 1)
        } else if name.hasPrefix("/") {
            return nil
        } else if !base.isEmpty {
            name = "\(base)/\(name)"[...]
        }
        if Self.isPlain(name) { return String(name) }
        var parts: [Substring] = []
        for part in name.split(separator: "/") where part != "." {
            guard part == ".." else {
                parts.append(part)
                continue
            }
            guard parts.popLast() != nil else { return nil }
        }
        return parts.isEmpty ? nil : parts.joined(separator: "/")
    }

    /// Whether no part is empty or begins with a dot: such a path is what it says.
    private static func isPlain(_ path: Substring) -> Bool {
        var isStart = true
        for byte in path.utf8 {
            if isStart, byte == UInt8(ascii: "/") || byte == UInt8(ascii: ".") { return false }
            isStart = byte == UInt8(ascii: "/")
        }
        return !isStart
    }
}
