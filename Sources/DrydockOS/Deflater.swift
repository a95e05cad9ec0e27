// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import CZlib

/// Compresses whole messages, each without a look at those before it: bare deflate (RFC 1951).
///
/// Keeps about 256 KiB with a window of 15 bits: share one.
package struct Deflater: ~Copyable {
    /// Windows there are, as powers of two; zlib can do no bare deflate with 8.
    package static let windows = 9...15

    private let deflater: OpaquePointer

    /// Level 1 is the fastest; nil without memory, or for a window there is not.
    package init?(level: Int, windowBits: Int) {
        guard let made = czlib_deflater_new(Int32(clamping: level), Int32(clamping: windowBits)) else {
            return nil
        }
        deflater = made
    }

    deinit { czlib_deflater_free(deflater) }

    /// The compressed bytes, an empty stored block (`00 00 FF FF`) as their end; nil when they are more than `most`.
    package mutating func deflate(_ message: [UInt8], most: Int) -> [UInt8]? {
        guard let size = UInt32(exactly: message.count), let room = UInt32(exactly: most), room > 0 else {
            return nil
        }
        var isWhole = false
        let bytes = [UInt8](unsafeUninitializedCapacity: most) { buffer, count in
            guard let target = buffer.baseAddress else { return }
            var produced: UInt32 = 0
            let result = czlib_deflate_message(deflater, message, size, target, room, &produced)
            count = Int(produced)
            isWhole = result == CZLIB_END
        }
        return isWhole ? bytes : nil
    }
}
