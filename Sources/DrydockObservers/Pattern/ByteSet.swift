// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

/// A set of bytes.
struct ByteSet: Hashable, Sendable {
    private var bits: SIMD4<UInt64> = .zero

    init() {}

    init(_ byte: UInt8) { insert(byte) }

    init(_ range: ClosedRange<UInt8>) { for byte in range { insert(byte) } }

    static let any = ByteSet(0...255)
    static let digits = ByteSet(UInt8(ascii: "0")...UInt8(ascii: "9"))
    static let space = [0x09, 0x0A, 0x0B, 0x0C, 0x0D, 0x20].reduce(into: ByteSet()) { $0.insert($1) }
    static let word = ByteSet(UInt8(ascii: "a")...UInt8(ascii: "z"))
        .union(ByteSet(UInt8(ascii: "A")...UInt8(ascii: "Z")))
        .union(digits)
        .union(ByteSet(UInt8(ascii: "_")))

    mutating func insert(_ byte: UInt8) { bits[Int(byte >> 6)] |= 1 << UInt64(byte & 63) }

    /// A bit for each byte, in four words.
    var words: [UInt64] { (0..<4).map { bits[$0] } }

    func contains(_ byte: UInt8) -> Bool { bits[Int(byte >> 6)] & (1 << UInt64(byte & 63)) != 0 }

    func union(_ other: ByteSet) -> ByteSet {
        var both = self
        both.bits |= other.bits
        return both
    }

    var inverted: ByteSet {
        var rest = self
        rest.bits = ~bits
        return rest
    }

    /// With the other case of every letter in it.
    var ignoringCase: ByteSet {
        var both = self
        for letter in UInt8(ascii: "a")...UInt8(ascii: "z") {
            let capital = letter & 0xDF
            if contains(letter) { both.insert(capital) }
            if contains(capital) { both.insert(letter) }
        }
        return both
    }
}
