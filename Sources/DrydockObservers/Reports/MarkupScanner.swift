// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

/// Reads a document of XML that nobody has vouched for, piece by piece and without a tree: no document type, no entities but
/// the five and numbers, so that nothing in it grows or leads anywhere.
///
/// Linear in the document. Forgiving about what it does not need: whether tags match is for the reader. Source: XML 1.0.
struct MarkupScanner {
    enum Piece: Equatable {
        /// Names are without their namespace.
        case start(name: String, attributes: [String: String], isEmpty: Bool)
        case end(name: String)
        /// Of an element or a CDATA section.
        case text(String)
    }

    /// It is no XML, or has what this does not read.
    struct Problem: Error {}

    private let bytes: [UInt8]
    private var place = 0

    private static let mostAttributes = 64

    init(_ bytes: [UInt8]) {
        self.bytes = bytes
        if bytes.starts(with: [0xEF, 0xBB, 0xBF]) { place = 3 }
    }

    /// The next piece; nil at the end.
    mutating func next() throws(Problem) -> Piece? {
        while place < bytes.count {
            guard bytes[place] == UInt8(ascii: "<") else { return .text(text(upTo: "<")) }
            if skip("<!--") {
                try pass("-->")
            } else if skip("<![CDATA[") {
                return .text(try section())
            } else if skip("<?") {
                try pass("?>")
            } else if at("<!") {
                throw Problem()
            } else if skip("</") {
                let name = name()
                try pass(">")
                return .end(name: name)
            } else {
                place += 1
                return try tag()
            }
        }
        return nil
    }

    private mutating func tag() throws(Problem) -> Piece {
        let name = name()
        guard !name.isEmpty else { throw Problem() }
        var attributes: [String: String] = [:]
        while true {
            skipSpace()
            if skip("/>") { return .start(name: name, attributes: attributes, isEmpty: true) }
            if skip(">") { return .start(name: name, attributes: attributes, isEmpty: false) }
            let key = self.name()
            skipSpace()
            guard !key.isEmpty, skip("="), attributes.count < Self.mostAttributes else { throw Problem() }
            skipSpace()
            guard place < bytes.count, [UInt8(ascii: "\""), UInt8(ascii: "'")].contains(bytes[place]) else {
                throw Problem()
            }
            let quote = bytes[place]
            place += 1
            let start = place
            while place < bytes.count, bytes[place] != quote { place += 1 }
            guard place < bytes.count else { throw Problem() }
            attributes[key] = Self.decoded(bytes[start..<place])
            place += 1
        }
    }

    private mutating func section() throws(Problem) -> String {
        let start = place
        try pass("]]>")
        return Self.repaired(bytes[start..<(place - 3)])
    }

    private mutating func text(upTo end: Unicode.Scalar) -> String {
        let start = place
        while place < bytes.count, bytes[place] != UInt8(ascii: end) { place += 1 }
        return Self.decoded(bytes[start..<place])
    }

    /// A name without its namespace.
    private mutating func name() -> String {
        let start = place
        let ends = Array(" \t\r\n/>=<\"'".utf8)
        while place < bytes.count, !ends.contains(bytes[place]) { place += 1 }
        let name = bytes[start..<place]
        return Self.repaired(
            (name.lastIndex(of: UInt8(ascii: ":")).map { name[($0 + 1)...] } ?? name).prefix(64)
        )
    }

    // MARK: Bytes

    private func at(_ text: StaticString) -> Bool {
        let count = text.utf8CodeUnitCount
        guard bytes.count - place >= count else { return false }
        return text.withUTF8Buffer { wanted in (0..<count).allSatisfy { bytes[place + $0] == wanted[$0] } }
    }

    private mutating func skip(_ text: StaticString) -> Bool {
        guard at(text) else { return false }
        place += text.utf8CodeUnitCount
        return true
    }

    private mutating func skipSpace() {
        while place < bytes.count, [0x20, 0x09, 0x0A, 0x0D].contains(bytes[place]) { place += 1 }
    }

    /// Goes on behind the next `end`.
    private mutating func pass(_ end: StaticString) throws(Problem) {
        while place < bytes.count {
            if skip(end) { return }
            place += 1
        }
        throw Problem()
    }

    private static func repaired(_ bytes: ArraySlice<UInt8>) -> String {
        String(decoding: bytes, as: UTF8.self)
    }

    private static let entities: [String: String] = [
        "lt": "<", "gt": ">", "amp": "&", "quot": "\"", "apos": "'",
    ]

    /// The text with its entities resolved; one that is unknown stays as it stands.
    private static func decoded(_ bytes: ArraySlice<UInt8>) -> String {
        guard bytes.contains(UInt8(ascii: "&")) else { return repaired(bytes) }
        var decoded = ""
        var rest = bytes
        while let and = rest.firstIndex(of: UInt8(ascii: "&")) {
            decoded += repaired(rest[..<and])
            rest = rest[and...]
            guard let end = rest.prefix(12).firstIndex(of: UInt8(ascii: ";")),
                let character = character(repaired(rest[(and + 1)..<end]))
            else {
                decoded += "&"
                rest = rest.dropFirst()
                continue
            }
            decoded += character
            rest = rest[(end + 1)...]
        }
        return decoded + repaired(rest)
    }

    private static func character(_ entity: String) -> String? {
        guard entity.hasPrefix("#") else { return entities[entity] }
        let isHex = entity.hasPrefix("#x") || entity.hasPrefix("#X")
        let digits = entity.dropFirst(isHex ? 2 : 1)
        return UInt32(digits, radix: isHex ? 16 : 10).flatMap(Unicode.Scalar.init).map { String($0) }
    }
}
