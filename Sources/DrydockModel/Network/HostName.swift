// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

/// A host's name in the one form in which names are compared: ASCII, small letters, no dot at the end.
///
/// Never an address: whatever any resolver would read as one (`127.1`, `0x7f.1`, `[::1]`) is no name. Source: RFC 1123
/// section 2.1, RFC 3696 section 2; "ends in a number" of the URL standard.
package struct HostName: Hashable, Sendable, CustomStringConvertible {
    /// Bytes of the longest name, without the dot at its end (RFC 1035 section 3.1).
    package static let longest = 253

    package let text: String
    package var description: String { text }

    /// Reads a name as clients and people write it.
    package init(_ written: some StringProtocol) throws(HostNameProblem) {
        var bytes = Array(written.utf8)
        guard !bytes.isEmpty else { throw .empty }
        if bytes.contains(where: { $0 >= 0x80 }) { throw .notASCII }
        if bytes.last == UInt8(ascii: ".") { bytes.removeLast() }
        guard bytes.count <= Self.longest else { throw .tooLong }
        for index in bytes.indices { bytes[index] = Self.small(bytes[index]) }
        let labels = bytes.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        for label in labels {
            guard (1...63).contains(label.count) else { throw .label }
            if let stranger = label.first(where: { !Self.isAllowed($0) }) { throw .character(stranger) }
            if label.first == UInt8(ascii: "-") || label.last == UInt8(ascii: "-") { throw .label }
        }
        if let last = labels.last, Self.isNumber(last) { throw .address }
        text = String(decoding: bytes, as: UTF8.self)
    }

    /// Whether it is `suffix` with something in front.
    package func isBelow(_ suffix: HostName) -> Bool { text.hasSuffix("." + suffix.text) }

    private static func small(_ byte: UInt8) -> UInt8 {
        (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(byte) ? byte | 0x20 : byte
    }

    /// The underscore is in no host's name by the RFCs, and in some by practice.
    private static func isAllowed(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"),
            UInt8(ascii: "_"):
            true
        default: false
        }
    }

    /// What resolvers take for the last part of an address: digits, or `0x` and hexadecimal ones.
    private static func isNumber(_ label: ArraySlice<UInt8>) -> Bool {
        let digits = UInt8(ascii: "0")...UInt8(ascii: "9")
        if label.allSatisfy(digits.contains) { return true }
        guard label.starts(with: "0x".utf8) else { return false }
        let letters = UInt8(ascii: "a")...UInt8(ascii: "f")
        return label.dropFirst(2).allSatisfy { digits.contains($0) || letters.contains($0) }
    }
}

/// Why a text is no host's name.
package enum HostNameProblem: Error, Hashable, Sendable {
    case empty
    case tooLong
    /// A letter that needs its ASCII form (RFC 5891).
    case notASCII
    /// A byte that is in no name: `%`, `@`, `:`, a space, NUL.
    case character(UInt8)
    /// A part that is empty, longer than 63 bytes, or begins or ends with `-`.
    case label
    /// An address, in whatever notation.
    case address

    /// What is wrong, to follow the name.
    package var explanation: String {
        switch self {
        case .empty: "is empty"
        case .tooLong: "has more than \(HostName.longest) bytes"
        case .notASCII: "has letters beyond ASCII"
        case .character(let byte):
            (0x21...0x7E).contains(byte)
                ? "has the character \(Character(UnicodeScalar(byte))), which is in no host's name"
                : "has a space or a control character"
        case .label:
            "has an empty part between dots, one of more than 63 characters, or one with - at its end"
        case .address: "is an address, not a name"
        }
    }

    /// What to write instead.
    package var hint: String {
        switch self {
        case .notASCII: "write its ASCII form, which begins with xn--"
        case .address: "name the host; where its addresses may lie is for the operator's network.addresses"
        default: "write the bare name, such as pypi.org"
        }
    }
}
