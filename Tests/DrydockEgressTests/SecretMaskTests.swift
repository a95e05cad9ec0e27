// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

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

    @Test("only what may be the beginning of one is held back")
    func holds() {
        var mask = SecretMask([Array("hunter22".utf8)])
        #expect(String(buffer: mask.pass(ByteBuffer(string: "all of it"))) == "all of it")
        #expect(String(buffer: mask.pass(ByteBuffer(string: "and hunter"))) == "and ")
        #expect(String(buffer: mask.pass(ByteBuffer(string: "s, and"))) == "hunters, and")
        #expect(mask.end().readableBytes == 0)
    }
}
