// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import CZlib

/// The CRC-32 of zip entries and gzip members.
///
/// Source: APPNOTE 4.4.7; RFC 1952 section 8.
package struct CRC32 {
    package private(set) var value: UInt32 = 0

    package init() {}

    /// That of `bytes`.
    package static func of(_ bytes: ArraySlice<UInt8>) -> UInt32 {
        var check = CRC32()
        check.update(bytes)
        return check.value
    }

    /// That of bytes whose own is `first`, followed by `length` bytes whose own is `second`.
    package static func combine(_ first: UInt32, _ second: UInt32, length: Int64) -> UInt32 {
        czlib_crc32_combine(first, second, length)
    }

    package mutating func update(_ bytes: ArraySlice<UInt8>) {
        value = bytes.withUnsafeBufferPointer { czlib_crc32(value, $0.baseAddress, $0.count) }
    }
}
