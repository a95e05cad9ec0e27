// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import CCrypto

/// SHA-1, where a protocol asks for it; it protects nothing.
///
/// Source: FIPS 180-4, by libcrypto.
package enum SHA1 {
    /// The 20 bytes of the digest of `message`.
    package static func digest(of message: [UInt8]) -> [UInt8] {
        var digest = [UInt8](repeating: 0, count: Int(CCRYPTO_SHA1_SIZE))
        let status = ccrypto_sha1(message, message.count, &digest)
        precondition(status == 0, "libcrypto has no SHA-1 to give: is it broken?")
        return digest
    }
}
