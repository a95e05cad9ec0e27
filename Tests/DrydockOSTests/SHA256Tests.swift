// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import DrydockModel
import Testing

@testable import DrydockOS

@Suite("SHA-256")
struct SHA256Tests {
    /// Source: FIPS 180-4 example values (NIST CAVP).
    @Test(
        "known content has its known digest",
        arguments: [
            ("", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
            ("abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
            (
                "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
                "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"
            ),
        ]
    )
    func knownDigests(_ content: String, _ hex: String) {
        #expect(SHA256Hasher.digest(of: content.utf8).rawValue == "sha256:" + hex)
    }

    @Test("the digest does not depend on how the content was cut", arguments: [1, 7, 64, 65, 1_000])
    func pieces(_ size: Int) {
        let content = (0..<4_096).map { UInt8(truncatingIfNeeded: $0 &* 31) }
        var hasher = SHA256Hasher()
        for start in stride(from: 0, to: content.count, by: size) {
            hasher.update(content[start..<min(start + size, content.count)])
        }
        #expect(hasher.finish() == SHA256Hasher.digest(of: content))
    }

    @Test("a hasher that is dropped unfinished is freed, not a fault")
    func dropped() {
        var hasher = SHA256Hasher()
        hasher.update("abc".utf8)
    }
}
