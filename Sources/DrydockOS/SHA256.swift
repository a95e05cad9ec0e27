// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import CCrypto
package import DrydockModel

/// Works out the SHA-256 of content that comes piece by piece.
///
/// Source: FIPS 180-4, by libcrypto.
package struct SHA256Hasher: ~Copyable, @unchecked Sendable {
    // SAFETY: the context belongs to this value alone, it is not copyable, and the methods that change it need
    // exclusive access.
    private let context: OpaquePointer

    /// A digest of no bytes yet.
    package init() {
        guard let made = ccrypto_sha256_new() else {
            preconditionFailure("libcrypto has no SHA-256 context to give: is it broken?")
        }
        context = made
    }

    /// Takes `bytes` in, in order.
    package mutating func update(_ bytes: UnsafeRawBufferPointer) {
        let status = ccrypto_sha256_update(context, bytes.baseAddress, bytes.count)
        precondition(status == 0, "libcrypto refused bytes before the digest was finished")
    }

    /// Takes `bytes` in, in order.
    package mutating func update(_ bytes: some Sequence<UInt8>) {
        let contiguous: Void? = bytes.withContiguousStorageIfAvailable { update(UnsafeRawBufferPointer($0)) }
        if contiguous == nil {
            Array(bytes).withUnsafeBytes { update($0) }
        }
    }

    /// The digest of everything taken in: `sha256:` and 64 hexadecimal digits.
    package consuming func finish() -> Digest {
        var digest = [UInt8](repeating: 0, count: Int(CCRYPTO_SHA256_SIZE))
        let status = ccrypto_sha256_finish(context, &digest)
        precondition(status == 0, "libcrypto did not finish a digest")
        return Digest(sha256: digest)
    }

    /// The digest of `bytes`.
    package static func digest(of bytes: some Sequence<UInt8>) -> Digest {
        var hasher = SHA256Hasher()
        hasher.update(bytes)
        return hasher.finish()
    }

    deinit { ccrypto_sha256_free(context) }
}

extension Digest {
    /// The digest whose 32 bytes are given.
    fileprivate init(sha256 bytes: [UInt8]) {
        let digits = Array("0123456789abcdef".utf8)
        let hex = bytes.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }
        self.init(rawValue: "sha256:" + String(decoding: hex, as: UTF8.self))
    }
}
