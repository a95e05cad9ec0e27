// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

package import DrydockModel

/// What a request says about how much of a file it wants (RFC 9110, sections 13 and 14); pure.
package struct FileRequest: Hashable, Sendable {
    package var ifNoneMatch: String?
    package var ifMatch: String?
    package var range: String?
    package var ifRange: String?

    package init(
        ifNoneMatch: String? = nil,
        ifMatch: String? = nil,
        range: String? = nil,
        ifRange: String? = nil
    ) {
        self.ifNoneMatch = ifNoneMatch
        self.ifMatch = ifMatch
        self.range = range
        self.ifRange = ifRange
    }

    /// What to send.
    package enum Part: Hashable, Sendable {
        /// 200
        case whole
        /// 206
        case range(Range<Int64>)
        /// 304
        case notModified
        /// 412
        case preconditionFailed
        /// 416
        case unsatisfiable
    }

    /// The strong validator of content with this digest.
    package static func etag(_ digest: Digest) -> String { "\"\(digest.hex)\"" }

    /// The part of a file of `size` bytes with the validator `etag` that is to be sent.
    package func part(etag: String, size: Int64) -> Part {
        if let ifMatch, !Self.matches(ifMatch, etag, weak: false) { return .preconditionFailed }
        if let ifNoneMatch, Self.matches(ifNoneMatch, etag, weak: true) { return .notModified }
        guard let range, ifRange.map({ $0 == etag }) ?? true else { return .whole }
        return Self.parse(range, size: size)
    }

    private static func matches(_ list: String, _ etag: String, weak: Bool) -> Bool {
        list.split(separator: ",").contains { item in
            let item = item.drop { $0 == " " }.prefix { $0 != " " }
            return item == "*" || item == etag || (weak && item == "W/" + etag)
        }
    }

    /// One range in bytes; several, other units and nonsense are answered with the whole file, as a server may.
    private static func parse(_ text: String, size: Int64) -> Part {
        guard text.hasPrefix("bytes=") else { return .whole }
        let ends = text.dropFirst(6).split(separator: "-", omittingEmptySubsequences: false)
        guard ends.count == 2 else { return .whole }
        if ends[0].isEmpty {
            guard let count = number(ends[1]) else { return .whole }
            guard count > 0, size > 0 else { return .unsatisfiable }
            return .range(max(0, size - count)..<size)
        }
        guard let first = number(ends[0]) else { return .whole }
        let last = ends[1].isEmpty ? Int64.max - 1 : number(ends[1])
        guard let last, last >= first else { return .whole }
        guard first < size else { return .unsatisfiable }
        return .range(first..<min(size, last + 1))
    }

    /// Plain digits only: `Int64` alone would take a sign, too.
    private static func number(_ text: Substring) -> Int64? {
        guard !text.isEmpty, text.utf8.allSatisfy({ (0x30...0x39).contains($0) }), let value = Int64(text),
            value < Int64.max
        else { return nil }
        return value
    }
}
