// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

/// The path of a request in the one form in which paths are compared.
///
/// There is none of what two readers could take for different files: segments that lead up (`..`, also as `%2e%2e` or `..;x`), empty
/// ones, backslashes, escapes of escapes, bytes beyond ASCII. A slash that is escaped stands in names of packages
/// (`/@scope%2fname`), so both ways of reading it are kept. Source: RFC 3986 sections 2.3, 3.3 and 6.2.2.
package struct RequestPath: Hashable, Sendable {
    /// Escapes of what needs none are resolved, but not those of a slash.
    package let text: String
    /// As a host reads it that takes an escaped slash for a slash.
    package let loose: String
    /// Without its question mark; nil where there is none.
    package let query: String?

    /// Whether there is only one way to read it.
    package var isPlain: Bool { text == loose }

    /// From a path with its query; nil for one that can not be compared.
    package init?(_ uri: String) {
        let parts = uri.split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false)
        guard let path = parts.first, path.utf8.first == Self.slash, !uri.utf8.contains(UInt8(ascii: "#"))
        else { return nil }
        var (text, loose): ([UInt8], [UInt8]) = ([], [])
        var rest = path.utf8[...]
        while let byte = rest.popFirst() {
            var value = byte
            if byte == UInt8(ascii: "%") {
                guard rest.count >= 2, let read = Self.hex(rest.prefix(2)) else { return nil }
                value = read
                rest = rest.dropFirst(2)
            }
            switch value {
            case Self.slash where byte != value:
                text += "%2F".utf8
                loose.append(value)
            case UInt8(ascii: "?"), UInt8(ascii: "#"):
                let digits = value == UInt8(ascii: "?") ? "%3F" : "%23"
                text += digits.utf8
                loose += digits.utf8
            case UInt8(ascii: "\\"), UInt8(ascii: "%"): return nil
            case 0x20...0x7E:
                text.append(value)
                loose.append(value)
            default: return nil
            }
        }
        guard Self.isStraight(loose) else { return nil }
        self.text = String(decoding: text, as: UTF8.self)
        self.loose = String(decoding: loose, as: UTF8.self)
        query = parts.count == 2 ? String(parts[1]) : nil
    }

    private static let slash = UInt8(ascii: "/")

    private static func hex(_ digits: some Collection<UInt8>) -> UInt8? {
        // UInt8(_:radix:) reads a sign, too.
        guard digits.allSatisfy({ UnicodeScalar($0).properties.isASCIIHexDigit }) else { return nil }
        return UInt8(String(decoding: digits, as: UTF8.self), radix: 16)
    }

    /// Whether no segment is empty, but the last, or leads elsewhere: dots alone, also before a `;` or with spaces.
    private static func isStraight(_ path: [UInt8]) -> Bool {
        let segments = path.dropFirst().split(separator: slash, omittingEmptySubsequences: false)
        return !segments.dropLast().contains(where: \.isEmpty)
            && segments.allSatisfy { segment in
                let name = segment.prefix { $0 != UInt8(ascii: ";") }
                return segment.isEmpty
                    || !name.allSatisfy { $0 == UInt8(ascii: ".") || $0 == UInt8(ascii: " ") }
            }
    }
}
