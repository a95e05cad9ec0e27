// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import DrydockModel
import NIOCore
import Testing

@testable import DrydockEgress

@Suite("secrets in answers")
struct SecretMaskTests {
    private func pass(_ pieces: [String], _ masks: [String]) -> String {
        var mask = SecretMask(masks.map { Array($0.utf8) })
        var out = ""
        for piece in pieces { out += String(buffer: mask.pass(ByteBuffer(string: piece))) }
        return out + String(buffer: mask.end())
    }

    @Test(
        "are taken out however the answer is cut, and nothing else is",
        arguments: [
            ("tok=hunter22;", "tok=********;"), ("hunter22", "********"), ("hunter2", "hunter2"),
            ("hunthunter22hunter2", "hunt********hunter2"), ("hunter22hunter22", "****************"),
            ("abcabcab", "********"), ("xabcabcabx", "x********x"), ("aabcaba", "a*****a"),
            ("abcabhunter22", "*************"), ("abcabcabab", "********ab"), ("", ""), ("none", "none"),
        ]
    )
    func cuts(_ text: String, _ expected: String) {
        let masks = ["hunter22", "abcab"]
        #expect(pass([text], masks) == expected)
        #expect(pass(text.map(String.init), masks) == expected)
        for cut in 0...text.count {
            #expect(pass([String(text.prefix(cut)), String(text.dropFirst(cut))], masks) == expected)
            for second in cut...text.count {
                let pieces = [
                    text.prefix(cut), text.prefix(second).dropFirst(cut), text.dropFirst(second),
                ]
                #expect(pass(pieces.map(String.init), masks) == expected)
            }
        }
    }

    @Test("what is held back is as long whatever it is: a guess does not show how much of it was right")
    func holds() {
        for text in ["no word like it", "it is h", "it is hunter2", "hunter22 and on"] {
            var mask = SecretMask([Array("hunter22".utf8)])
            let passed = mask.pass(ByteBuffer(string: text)).readableBytes
            #expect(passed == max(0, text.utf8.count - 7), "\(text)")
            #expect(mask.end().readableBytes == text.utf8.count - passed)
        }
    }

    @Test(
        "a secret is known in the spellings of addresses, JSON and HTML",
        arguments: [
            "aaaa/bb+\"&c", "aaaa%2Fbb%2B%22%26c", "aaaa%2fbb%2b%22%26c", "aaaa/bb%2B%22%26c",
            #"aaaa\/bb+\"&c"#,
            #"aaaa/bb+\"&c"#, "aaaa/bb+&quot;&amp;c",
        ]
    )
    func spellings(_ text: String) throws {
        let secret = try HostSecret(
            try HostName("a.example"),
            .header(name: "X-Key", value: "token aaaa/bb+\"&c")
        )
        var mask = SecretMask(secret.masks)
        let shown =
            String(buffer: mask.pass(ByteBuffer(string: "it is \(text).")))
            + String(buffer: mask.end())
        #expect(shown == "it is \(String(repeating: "*", count: text.utf8.count)).")
    }
}
