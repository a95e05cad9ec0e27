// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

/// Numbers of fixed width in the bytes of a sealed journal.
extension [UInt8] {
    /// Appends `number`, its lowest byte first.
    mutating func append(littleEndian number: some FixedWidthInteger) {
        Swift.withUnsafeBytes(of: number.littleEndian) { append(contentsOf: $0) }
    }

    /// The number at `offset`, which lies within.
    func number<Number: FixedWidthInteger>(at offset: Int) -> Number {
        withUnsafeBytes { Number(littleEndian: $0.loadUnaligned(fromByteOffset: offset, as: Number.self)) }
    }
}
