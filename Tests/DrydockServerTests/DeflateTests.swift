// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import DrydockOS
import NIOCore
import Testing

@testable import DrydockServer

/// A message as a compressing client's frame has it.
func deflated(_ message: [UInt8], window: Int = 15) -> [UInt8] {
    var deflater = Deflater(level: 6, windowBits: window)
    let bytes = deflater?.deflate(message, most: message.count + 64) ?? []
    return Array(bytes.dropLast(FrameEncoder.tail.count))
}

@Suite("permessage-deflate")
struct DeflateTests {
    private static let agreed = "permessage-deflate; server_no_context_takeover; client_no_context_takeover"
    private static let text = Array(
        (0..<200).map { "libtool: compile: gcc -c file\($0).c\n" }.joined().utf8
    )

    // MARK: What is agreed on

    @Test(
        "an offer that can be kept is taken",
        arguments: [
            (["permessage-deflate"], 15), (["permessage-deflate; client_max_window_bits"], 15),
            (["permessage-deflate;client_max_window_bits=\"10\" ; server_no_context_takeover"], 15),
            (["permessage-deflate; client_no_context_takeover; client_max_window_bits=8"], 15),
            (["x-webkit-deflate-frame, permessage-deflate"], 15),
            (["permessage-bzip2; a=\"b\\c\"; d", ", permessage-deflate ,"], 15),
            // The first is declined, the next one is not.
            (["permessage-deflate; server_max_window_bits=8, permessage-deflate"], 15),
            (["permessage-deflate; new_thing=1, permessage-deflate"], 15),
        ] as [([String], Int)]
    )
    func taken(headers: [String], window: Int) {
        let agreement = DeflateAgreement(offers: headers)
        #expect(agreement?.window == window)
        #expect(agreement?.answer == Self.agreed)
    }

    @Test("a window for what is sent is kept to, and answered", arguments: [9, 10, 12, 15])
    func window(bits: Int) {
        let agreement = DeflateAgreement(
            offers: ["permessage-deflate; server_max_window_bits=\(bits), permessage-deflate"]
        )
        #expect(agreement?.window == bits)
        #expect(agreement?.answer == Self.agreed + "; server_max_window_bits=\(bits)")
    }

    @Test(
        "an offer that is unknown, malformed or can not be kept is declined",
        arguments: [
            [], [""], [",,"], ["permessage-bzip2"], ["PERMESSAGE-DEFLATE2"],
            ["permessage-deflate; server_max_window_bits=8"], ["permessage-deflate; server_max_window_bits"],
            ["permessage-deflate; server_max_window_bits=16"],
            ["permessage-deflate; server_max_window_bits=09"],
            ["permessage-deflate; server_max_window_bits=\"\""],
            ["permessage-deflate; server_max_window_bits=\"1 0\""],
            ["permessage-deflate; client_max_window_bits=7"],
            ["permessage-deflate; client_max_window_bits=+9"],
            ["permessage-deflate; client_max_window_bits="],
            ["permessage-deflate; client_max_window_bits=10; client_max_window_bits=10"],
            ["permessage-deflate; server_no_context_takeover; server_no_context_takeover"],
            ["permessage-deflate; server_no_context_takeover=1"],
            ["permessage-deflate; client_no_context_takeover=\"true\""],
            ["permessage-deflate; unknown"], ["permessage-deflate;"], ["permessage-deflate; =1"],
            ["permessage-deflate x"], ["permessage-deflate; a=\"b"], ["permessage-deflate; a=\"b\\"],
            // What can not be read is not guessed at, wherever it stands.
            ["permessage-deflate, other; a=\"b c\""], ["permessage-deflate", "@"],
        ] as [[String]]
    )
    func declined(headers: [String]) { #expect(DeflateAgreement(offers: headers) == nil) }

    // MARK: What is sent

    @Test("a message is made once in both forms, and the deflated one is what was said")
    func shared() throws {
        let encoder = FrameEncoder()
        for _ in 0..<2 {
            let frame = encoder.frame(.text, Self.text, deflating: true)
            let bytes = try #require(frame.deflated)
            #expect(bytes.readableBytes * 4 < frame.plain.readableBytes)
            #expect(Array(bytes.readableBytesView.prefix(1)) == [0xC1])
            #expect(try Self.read(bytes) == Self.text && Self.read(frame.plain) == Self.text)
        }
    }

    @Test("nobody reads it, it is short, or it gets no shorter: then it is not deflated")
    func notDeflated() {
        let encoder = FrameEncoder()
        var generator = SystemRandomNumberGenerator()
        let noise = (0..<4_096).map { _ in UInt8.random(in: 0...255, using: &generator) }
        #expect(encoder.frame(.text, Self.text, deflating: false).deflated == nil)
        #expect(encoder.frame(.text, Array(Self.text.prefix(255)), deflating: true).deflated == nil)
        #expect(encoder.frame(.binary, noise, deflating: true).deflated == nil)
    }

    @Test("what one connection gets alone keeps to its window", arguments: [nil, 9, 11, 15])
    func alone(window: Int?) throws {
        let frame = FrameEncoder().frame(.text, Self.text, window: window)
        #expect((frame.getInteger(at: 0, as: UInt8.self) ?? 0) & 0x40 == (window == nil ? 0 : 0x40))
        #expect(try Self.read(frame) == Self.text)
    }

    @Test("a batch has each frame as its reader takes it, and as one form where none is deflated")
    func batch() throws {
        let encoder = FrameEncoder()
        var batch = FrameBatch()
        batch.add(encoder.frame(.text, [0x61], deflating: true), maySkip: true)
        #expect(batch.form(readsDeflated: true).all == batch.form(readsDeflated: false).all)
        let long = encoder.frame(.text, Self.text, deflating: true)
        batch.add(long, maySkip: false)
        batch.add(encoder.frame(.text, [0x62], deflating: true), maySkip: true)
        let (plain, packed) = (batch.form(readsDeflated: false), batch.form(readsDeflated: true))
        #expect(batch.count == 3 && batch.skippableCount == 2)
        #expect(plain.essential == long.plain && packed.essential == long.deflated)
        #expect(plain.lastSkippable == packed.lastSkippable && plain.lastSkippable?.readableBytes == 3)
        let saved = long.plain.readableBytes - (long.deflated?.readableBytes ?? 0)
        #expect(plain.all.readableBytes - packed.all.readableBytes == saved)
    }

    /// The payload of a server's frame.
    private static func read(_ frame: ByteBuffer) throws -> [UInt8] {
        var frame = frame
        let head = frame.readBytes(length: 2) ?? [0, 0]
        _ = frame.readBytes(length: head[1] == 126 ? 2 : head[1] == 127 ? 8 : 0)
        let payload = Array(frame.readableBytesView)
        return head[0] & 0x40 == 0 ? payload : try MessageInflater.inflate(payload, longest: 1 << 20)
    }
}
