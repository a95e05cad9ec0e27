// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import NIOCore
import Testing

@testable import DrydockServer

@Suite("Compressed messages of clients")
struct DeflatedInputTests {
    private func decode(
        _ bytes: [UInt8],
        pieces: Int = 7,
        longest: Int = 100_000,
        readsDeflated: Bool = true
    ) throws(WebSocketFailure) -> [WebSocketInput] {
        var decoder = WebSocketDecoder(longestMessage: longest, binary: .kept, readsDeflated: readsDeflated)
        var inputs: [WebSocketInput] = []
        for start in stride(from: 0, to: bytes.count, by: pieces) {
            var buffer = ByteBuffer(bytes: bytes[start..<min(start + pieces, bytes.count)])
            decoder.feed(&buffer)
            while let input = try decoder.next() { inputs.append(input) }
        }
        return inputs
    }

    /// The number of the close code that `bytes` end with; nil = none.
    private func failure(_ bytes: [UInt8], longest: Int = 100_000, readsDeflated: Bool = true) -> UInt16? {
        do throws(WebSocketFailure) {
            _ = try decode(bytes, longest: longest, readsDeflated: readsDeflated)
            return nil
        } catch {
            return error.code.number
        }
    }

    @Test(
        "whole, in fragments with pings between, after one that was not compressed",
        arguments: [1, 7, 9_999]
    )
    func good(pieces: Int) throws {
        let text = Array(String(repeating: "fr\u{E4}g ", count: 500).utf8)
        let packed = deflated(text)
        let half = packed.count / 2
        let bytes =
            clientFrame(0xC1, packed) + clientFrame(0x81, [0x61])
            + clientFrame(0x41, Array(packed[..<half])) + clientFrame(0x89, [1])
            + clientFrame(0x00, []) + clientFrame(0x80, Array(packed[half...]))
            + clientFrame(0xC2, deflated([0xFF, 0xFE], window: 9)) + clientFrame(0xC1, [0x00])
        #expect(
            try decode(bytes, pieces: pieces) == [
                .text(text), .text([0x61]), .ping([1]), .emptyFragment, .text(text), .binary([0xFF, 0xFE]),
                .text([]),
            ]
        )
    }

    @Test("the RFC's examples are read, a last block in the middle too")
    func examples() throws {
        let hello = Array("Hello".utf8)
        let payloads: [[UInt8]] = [
            [0xF2, 0x48, 0xCD, 0xC9, 0xC9, 0x07, 0x00],
            [0x00, 0x05, 0x00, 0xFA, 0xFF, 0x48, 0x65, 0x6C, 0x6C, 0x6F, 0x00],
            [0xF3, 0x48, 0xCD, 0xC9, 0xC9, 0x07, 0x00, 0x00],
            [0xF2, 0x48, 0x05, 0x00, 0x00, 0x00, 0xFF, 0xFF, 0xCA, 0xC9, 0xC9, 0x07, 0x00],
        ]
        for payload in payloads {
            #expect(try decode(clientFrame(0xC1, payload)) == [.text(hello)], "\(payload)")
        }
    }

    @Test("RSV1 belongs to the first frame of a message, and to who agreed on it")
    func reserved() {
        let packed = deflated(Array("Hello".utf8))
        #expect(failure(clientFrame(0xC1, packed), readsDeflated: false) == 1002)
        #expect(failure(clientFrame(0x41, packed) + clientFrame(0xC0, packed)) == 1002)
        #expect(failure(clientFrame(0x01, [0x61]) + clientFrame(0xC0, packed)) == 1002)
        for first: UInt8 in [0xC8, 0xC9, 0xCA, 0xA1, 0x91, 0xE1, 0xD1] {
            #expect(failure(clientFrame(first, [])) == 1002, "\(first)")
        }
    }

    @Test("what is no deflate, is cut short or goes on behind its end is 1007")
    func corrupt() {
        let text = Array(String(repeating: "abc", count: 100).utf8)
        let packed = deflated(text)
        for payload in [
            [], [0xFF], [0x07, 0x00], [0x01], Array(packed.dropLast()), Array(packed.dropLast(2)),
            packed + [0x07], [0xF3, 0x48, 0xCD, 0xC9, 0xC9, 0x07, 0x00],
            // Points back before the message began.
            [0x02, 0x02, 0x00, 0x00],
        ] as [[UInt8]] {
            #expect(failure(clientFrame(0xC1, payload)) == 1007, "\(payload)")
        }
        #expect(failure(clientFrame(0xC1, deflated([0xC0, 0x80]))) == 1007, "text that is no UTF-8")
        #expect(failure(clientFrame(0xC1, deflated([0xE2, 0x82]))) == 1007, "half a character")
        #expect(failure(clientFrame(0xC2, deflated([0xE2, 0x82]))) == nil)
    }

    @Test("a bomb is stopped at the longest message, or at its ratio; what may be long enough is read")
    func bomb() {
        let zeros = [UInt8](repeating: 0x61, count: 90_000)
        // 90 000 bytes of one letter are about 100: a hundredfold is not allowed beyond 16 KiB.
        #expect(failure(clientFrame(0xC1, deflated(zeros))) == 1009)
        #expect(failure(clientFrame(0xC1, deflated(Array(zeros.prefix(16 << 10))))) == nil)
        let text = Array((0..<9_000).map { "\($0)," }.joined().utf8)
        #expect(failure(clientFrame(0xC1, deflated(text)), longest: text.count) == nil)
        #expect(failure(clientFrame(0xC1, deflated(text)), longest: text.count - 1) == 1009)
        // However it is cut: each of the fragments is short.
        let packed = deflated(zeros)
        let rest = packed.dropFirst(9).flatMap { clientFrame(0x00, [$0]) }
        #expect(
            failure(clientFrame(0x41, Array(packed.prefix(9))) + rest + clientFrame(0x80, [])) == 1009
        )
    }

    @Test("last blocks may stand before the end, a few: each is a new start, however short it is")
    func ends() throws {
        let last: [UInt8] = [0x03, 0x00]
        func ends(_ count: Int) -> [UInt8] { Array(repeating: last, count: count).flatMap(\.self) }
        let most = MessageInflater.mostEnds
        let hello = deflated(Array("Hello".utf8))
        #expect(try decode(clientFrame(0xC1, ends(most) + hello)) == [.text(Array("Hello".utf8))])
        #expect(failure(clientFrame(0xC1, ends(most + 1) + hello)) == 1007)
        // As long as a message may be: it is given up after a few of its bytes.
        #expect(failure(clientFrame(0xC1, ends(40_000) + hello)) == 1007)
    }

    @Test("random compressed bytes never trap")
    func fuzz() {
        var generator = SystemRandomNumberGenerator()
        for _ in 0..<2_000 {
            let bytes = (0..<48).map { _ in UInt8.random(in: 0...255, using: &generator) }
            _ = failure(clientFrame(0xC1, bytes))
        }
    }
}
