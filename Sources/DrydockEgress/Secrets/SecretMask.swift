// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import Glibc
import NIOCore

/// Takes secrets out of bytes that come in pieces: each byte of one becomes a `*`, so that nothing changes its length.
struct SecretMask {
    private static let star = UInt8(ascii: "*")

    private let masks: [[UInt8]]
    private let longest: Int
    /// The end of what came so far, which may be the beginning of a secret: as it came, and whether it is a part of one.
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
        let kept = open(piece)
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

    /// How many bytes at the end are the beginning of a secret.
    private func open(_ bytes: [UInt8]) -> Int {
        let most = min(bytes.count, longest - 1)
        guard most > 0 else { return 0 }
        for count in stride(from: most, through: 1, by: -1) {
            let end = bytes.suffix(count)
            if masks.contains(where: { $0.count > count && $0.starts(with: end) }) { return count }
        }
        return 0
    }
}
