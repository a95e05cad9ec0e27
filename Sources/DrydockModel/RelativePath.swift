// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

/// A path below some directory, as people and plugins write it in files and records.
package struct RelativePath: StringIdentifier {
    /// `/`-separated names, none of them empty, `.` or `..`; a lone `.` is the directory itself.
    package let rawValue: String

    /// The directory itself.
    package static let top = RelativePath(names: ".")

    package static let rule = "name a path below it, such as site or bin/tool"

    /// Reads a path by `PathRule`.
    package init(parsing text: String) throws(PathProblem) {
        let names = try PathRule.names(in: Array(text.utf8))
        let isClean = names.map(\.count).reduce(names.count - 1, +) == text.utf8.count
        rawValue =
            isClean
            ? text
            : names.isEmpty ? "." : names.map { String(decoding: $0, as: UTF8.self) }.joined(separator: "/")
    }

    private init(names: String) { rawValue = names }

    /// nil for what `PathRule` refuses.
    package init?(rawValue: String) {
        guard let path = try? RelativePath(parsing: rawValue) else { return nil }
        self = path
    }

    /// The names from the top, joined: empty for the directory itself.
    package var prefix: String { rawValue == "." ? "" : rawValue }

    /// Whether `path`, which is clean, is this one or lies below it.
    package func contains(_ path: String) -> Bool {
        PathRule.isWithin(path.utf8, prefix.utf8)
    }
}

/// Which texts are paths below a directory: the one place of the rule.
package enum PathRule {
    /// NAME_MAX of Linux.
    package static let longestName = 255
    /// What a path may have and still be opened by one call (PATH_MAX with its NUL).
    package static let longestPath = 4_095

    /// The names of a relative path from the top, none for the directory itself.
    ///
    /// `./` and doubled or trailing slashes are dropped. Throws for what leaves the directory or can not name a file.
    package static func names(in text: [UInt8]) throws(PathProblem) -> [ArraySlice<UInt8>] {
        if text.first == UInt8(ascii: "/") { throw .absolute }
        if text.contains(0) { throw .containsNUL }
        let names = text.split(separator: UInt8(ascii: "/")).filter { $0 != [UInt8(ascii: ".")] }
        for name in names {
            if name.elementsEqual("..".utf8) { throw .climbs }
            if name.count > longestName { throw .nameTooLong }
        }
        // One slash less than names.
        if names.map(\.count).reduce(names.count - 1, +) > longestPath { throw .pathTooLong }
        return names
    }
}

extension PathRule {
    /// Whether `path` is `directory` or lies below it; every path lies below an empty one.
    ///
    /// Both are clean. Bytes are compared, as the kernel does: to Swift two names of different bytes can be the same text,
    /// and a slash that a combining mark follows is no slash.
    package static func isWithin(_ path: some Collection<UInt8>, _ directory: some Collection<UInt8>) -> Bool
    {
        guard path.starts(with: directory) else { return false }
        let (rest, slash) = (path.dropFirst(directory.count), UInt8(ascii: "/"))
        return rest.isEmpty || rest.first == slash || directory.allSatisfy { $0 == slash }
    }

    /// The names in `text`, which slashes divide; as bytes, for the same reason.
    package static func split(_ text: String) -> [Substring] {
        text.utf8.split(separator: UInt8(ascii: "/")).map { Substring($0) }
    }
}

/// Why a text is no path below a directory.
package enum PathProblem: Error, Sendable, Hashable {
    case absolute
    case climbs
    case containsNUL
    case nameTooLong
    case pathTooLong

    /// What is wrong, to follow "its name".
    package var explanation: String {
        switch self {
        case .absolute: "starts with /"
        case .climbs: "contains .."
        case .containsNUL: "contains a NUL byte"
        case .nameTooLong: "has a part of more than \(PathRule.longestName) bytes"
        case .pathTooLong: "has more than \(PathRule.longestPath) bytes"
        }
    }
}
