// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

/// Appends JSON text piece by piece; for the messages whose shape is fixed and whose cost matters.
struct JSONText {
    private(set) var bytes: [UInt8] = []

    private static let digits = Array("0123456789abcdef".utf8)

    /// Appends text that is JSON already.
    mutating func raw(_ text: StaticString) {
        text.withUTF8Buffer { bytes.append(contentsOf: $0) }
    }

    /// Appends a string with what JSON demands escaped (RFC 8259, section 7).
    mutating func string(_ text: String) {
        bytes.append(UInt8(ascii: "\""))
        var text = text
        text.withUTF8 { source in
            var clean = 0
            for index in source.indices where Self.needsEscape(source[index]) {
                bytes.append(contentsOf: source[clean..<index])
                escape(source[index])
                clean = index + 1
            }
            bytes.append(contentsOf: source[clean...])
        }
        bytes.append(UInt8(ascii: "\""))
    }

    /// Appends milliseconds as seconds with three decimals.
    mutating func milliseconds(_ value: Int64) {
        let magnitude = value.magnitude
        let fraction = String(magnitude % 1_000)
        if value < 0 { bytes.append(UInt8(ascii: "-")) }
        bytes.append(contentsOf: String(magnitude / 1_000).utf8)
        bytes.append(UInt8(ascii: "."))
        bytes.append(contentsOf: String(repeating: "0", count: 3 - fraction.utf8.count).utf8)
        bytes.append(contentsOf: fraction.utf8)
    }

    private static func needsEscape(_ byte: UInt8) -> Bool {
        byte < 0x20 || byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\")
    }

    private mutating func escape(_ byte: UInt8) {
        bytes.append(UInt8(ascii: "\\"))
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"): bytes.append(byte)
        case 0x0A: bytes.append(UInt8(ascii: "n"))
        case 0x0D: bytes.append(UInt8(ascii: "r"))
        case 0x09: bytes.append(UInt8(ascii: "t"))
        default:
            bytes.append(contentsOf: "u00".utf8)
            bytes.append(Self.digits[Int(byte >> 4)])
            bytes.append(Self.digits[Int(byte & 15)])
        }
    }
}
