// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

/// Checks UTF-8 that comes in pieces (RFC 3629): no overlong forms, surrogates or code points beyond U+10FFFF.
struct UTF8Validator: Sendable {
    /// Continuation bytes that the character still needs.
    private var missing = 0
    /// What the next continuation byte may be.
    private var next: ClosedRange<UInt8> = 0x80...0xBF

    /// Whether no character is open.
    var isComplete: Bool { missing == 0 }

    /// Takes more bytes; false as soon as no continuation could make them valid.
    mutating func accept(_ bytes: some Sequence<UInt8>) -> Bool {
        for byte in bytes {
            guard missing == 0 ? lead(byte) : follow(byte) else { return false }
        }
        return true
    }

    private mutating func follow(_ byte: UInt8) -> Bool {
        guard next.contains(byte) else { return false }
        missing -= 1
        next = 0x80...0xBF
        return true
    }

    private mutating func lead(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x00...0x7F: return true
        case 0xC2...0xDF: missing = 1
        case 0xE0: open(2, 0xA0...0xBF)
        case 0xE1...0xEC, 0xEE...0xEF: missing = 2
        case 0xED: open(2, 0x80...0x9F)
        case 0xF0: open(3, 0x90...0xBF)
        case 0xF1...0xF3: missing = 3
        case 0xF4: open(3, 0x80...0x8F)
        default: return false
        }
        return true
    }

    private mutating func open(_ count: Int, _ first: ClosedRange<UInt8>) {
        missing = count
        next = first
    }
}
