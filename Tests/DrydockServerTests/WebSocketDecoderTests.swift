// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import NIOCore
import Testing

@testable import DrydockServer

/// One client frame, masked unless told otherwise.
func clientFrame(_ first: UInt8, _ payload: [UInt8], masked: Bool = true) -> [UInt8] {
    let mask: [UInt8] = [0x37, 0xFA, 0x21, 0x3D]
    var frame = [first]
    let bit: UInt8 = masked ? 0x80 : 0
    switch payload.count {
    case 0...125: frame.append(bit | UInt8(payload.count))
    case 126...0xFFFF: frame += [bit | 126, UInt8(payload.count >> 8), UInt8(payload.count & 0xFF)]
    default: frame += [bit | 127] + (0..<8).map { UInt8(truncatingIfNeeded: payload.count >> (56 - $0 * 8)) }
    }
    if masked { frame += mask }
    return frame + payload.enumerated().map { masked ? $1 ^ mask[$0 % 4] : $1 }
}

@Suite("The WebSocket codec")
struct WebSocketDecoderTests {
    /// Everything that is decoded, whether the bytes come at once or one by one.
    private func decode(_ bytes: [UInt8], pieces: Int) throws(WebSocketFailure) -> [WebSocketInput] {
        var decoder = WebSocketDecoder(longestMessage: 1_000)
        var inputs: [WebSocketInput] = []
        for start in stride(from: 0, to: bytes.count, by: pieces) {
            var buffer = ByteBuffer(bytes: bytes[start..<min(start + pieces, bytes.count)])
            decoder.feed(&buffer)
            while let input = try decoder.next() { inputs.append(input) }
        }
        return inputs
    }

    @Test("messages, fragments and control frames between them", arguments: [1, 2, 7, 1_000])
    func good(pieces: Int) throws {
        let bytes =
            clientFrame(0x81, Array("Hello".utf8)) + clientFrame(0x01, Array("fr\u{E4}g".utf8.prefix(3)))
            + clientFrame(0x89, [1]) + clientFrame(0x00, [0xA4]) + clientFrame(0x80, Array("g".utf8))
            + clientFrame(0x82, [0xFF]) + clientFrame(0x8A, []) + clientFrame(0x81, [])
            + clientFrame(0x88, [0x03, 0xE8])
        #expect(
            try decode(bytes, pieces: pieces) == [
                .text(Array("Hello".utf8)), .ping([1]), .text(Array("fr\u{E4}g".utf8)), .binary([]), .pong,
                .text([]),
                .close(.normal),
            ]
        )
    }

    @Test("fragments that bring nothing are told, so that they count as messages do")
    func emptyFragments() throws {
        let bytes =
            clientFrame(0x01, []) + clientFrame(0x00, []) + clientFrame(0x00, [0x61]) + clientFrame(0x80, [])
        #expect(try decode(bytes, pieces: 1_000) == [.emptyFragment, .emptyFragment, .text([0x61])])
    }

    @Test(
        "breaches end the connection with the right code",
        arguments: [
            (clientFrame(0x81, [0x61], masked: false), 1002), (clientFrame(0xC1, [0x61]), 1002),
            (clientFrame(0x83, []), 1002), (clientFrame(0x8B, []), 1002), (clientFrame(0x09, []), 1002),
            (clientFrame(0x89, [UInt8](repeating: 0, count: 126)), 1002), (clientFrame(0x80, []), 1002),
            (clientFrame(0x01, [0x61]) + clientFrame(0x81, [0x61]), 1002),
            ([0x81, 0xFE, 0x00, 0x05], 1002), ([0x81, 0xFF, 0, 0, 0, 0, 0, 0, 0, 5], 1002),
            ([0x81, 0xFF, 0x80, 0, 0, 0, 0, 0, 0, 0], 1002),
            ([0x81, 0xFF, 0x7F, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF], 1009),
            (clientFrame(0x81, [UInt8](repeating: 0x61, count: 1_001)), 1009),
            (
                clientFrame(0x01, [UInt8](repeating: 0x61, count: 600))
                    + clientFrame(0x80, [UInt8](repeating: 0x61, count: 600)), 1009
            ),
            (clientFrame(0x81, [0xC0, 0x80]), 1007), (clientFrame(0x81, [0xED, 0xA0, 0x80]), 1007),
            (clientFrame(0x81, [0xF4, 0x90, 0x80, 0x80]), 1007), (clientFrame(0x81, [0xE2, 0x82]), 1007),
            (clientFrame(0x01, [0xFF]), 1007), (clientFrame(0x88, [0x03]), 1002),
            (clientFrame(0x88, [0x03, 0xED]), 1002),
            (clientFrame(0x88, [0x03, 0xE8, 0xFF]), 1007),
        ] as [([UInt8], UInt16)]
    )
    func bad(bytes: [UInt8], code: UInt16) {
        #expect(throws: WebSocketFailure.self) { _ = try decode(bytes, pieces: 1_000) }
        do { _ = try decode(bytes, pieces: 1) } catch { #expect(error.code.number == code) }
    }

    @Test("random bytes never trap")
    func fuzz() {
        var generator = SystemRandomNumberGenerator()
        for _ in 0..<2_000 {
            let bytes = (0..<64).map { _ in UInt8.random(in: 0...255, using: &generator) }
            _ = try? decode(bytes, pieces: 5)
        }
    }

    @Test("the handshake's answer is the RFC's example")
    func accept() {
        #expect(UpgradeRequest.accept(key: "dGhlIHNhbXBsZSBub25jZQ==") == "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=")
    }
}
