// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import Glibc
import NIOCore
import NIOHTTP1

/// Takes secrets out of bytes that come in pieces: each byte of one becomes a `*`, so that nothing changes its length.
struct SecretMask {
    private static let star = UInt8(ascii: "*")

    private let masks: [[UInt8]]
    private let longest: Int
    /// The end of what came so far, in which a secret may begin: as it came, and whether it is a part of one.
    ///
    /// It is as long whatever it is: a piece that is cut where a secret begins would tell how much of it was guessed.
    private var held: [UInt8] = []
    private var heldIsMasked: [Bool] = []

    init(_ masks: [[UInt8]]) {
        self.masks = masks.filter { !$0.isEmpty }
        longest = masks.map(\.count).max() ?? 0
    }

    /// What of `bytes`, and of those that were held before, can go on.
    mutating func pass(_ bytes: ByteBuffer) -> ByteBuffer {
        let piece = held + Array(bytes.readableBytesView)
        var out = piece
        for index in heldIsMasked.indices where heldIsMasked[index] { out[index] = Self.star }
        cover(piece, &out)
        let kept = min(piece.count, max(longest - 1, 0))
        held = Array(piece.suffix(kept))
        heldIsMasked = zip(piece.suffix(kept), out.suffix(kept)).map { $0 != $1 }
        return ByteBuffer(bytes: out.dropLast(kept))
    }

    /// What is still held; there comes no more.
    mutating func end() -> ByteBuffer {
        let rest = zip(held, heldIsMasked).map { $1 ? Self.star : $0 }
        held = []
        heldIsMasked = []
        return ByteBuffer(bytes: rest)
    }

    /// A text that stands by itself.
    func masked(_ text: String) -> String {
        let bytes = Array(text.utf8)
        var out = bytes
        cover(bytes, &out)
        return out == bytes ? text : String(decoding: out, as: UTF8.self)
    }

    /// The head of an answer, its words and its fields.
    func masked(_ head: HTTPResponseHead) -> HTTPResponseHead {
        var passed = head
        passed.status = HTTPResponseStatus(
            statusCode: Int(head.status.code),
            reasonPhrase: masked(head.status.reasonPhrase)
        )
        let fields = head.headers.map { name, value in
            // A number that frames the answer is none of its text.
            name.lowercased() == "content-length" ? (name, value) : (masked(name), masked(value))
        }
        passed.headers = HTTPHeaders(fields)
        return passed
    }

    private func cover(_ bytes: [UInt8], _ out: inout [UInt8]) {
        bytes.withUnsafeBytes { all in
            guard let base = all.baseAddress else { return }
            for mask in masks {
                var from = 0
                // The first byte by the library's own search, which is the fast one.
                while from + mask.count <= all.count,
                    let found = memchr(base + from, Int32(mask[0]), all.count - mask.count + 1 - from)
                {
                    let at = UnsafeRawPointer(found) - base
                    // Two of them may overlap.
                    from = at + 1
                    guard memcmp(found, mask, mask.count) == 0 else { continue }
                    for index in at..<at + mask.count { out[index] = Self.star }
                }
            }
        }
    }
}
