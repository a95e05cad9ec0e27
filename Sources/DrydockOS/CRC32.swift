// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import CZlib

/// The CRC-32 of zip entries.
///
/// Source: APPNOTE 4.4.7.
package struct CRC32 {
    package private(set) var value: UInt32 = 0

    package init() {}

    package mutating func update(_ bytes: ArraySlice<UInt8>) {
        value = bytes.withUnsafeBufferPointer { czlib_crc32(value, $0.baseAddress, $0.count) }
    }
}
