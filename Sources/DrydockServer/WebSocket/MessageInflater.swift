// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import DrydockOS

/// Decompresses what a client sent as one message (RFC 7692, section 7.2.2), and never makes more of it than it may be.
///
/// What it needs lives as long as it works: a connection that says nothing keeps none of it.
enum MessageInflater {
    /// A message may become so many times as long: deflate can do 1 000 times, honest text never does.
    static let ratio = 100
    /// What every message may become, however short it was.
    static let freely = 16 << 10
    /// Last blocks that may stand before a message's end: each takes a new start, which costs hundreds of times what its two
    /// bytes do.
    static let mostEnds = 16
    private static let chunk = 16 << 10

    /// The message, of at most `longest` bytes; 1007 for what is no deflate, 1009 for what is too much.
    static func inflate(_ payload: consuming [UInt8], longest: Int) throws(WebSocketFailure) -> [UInt8] {
        let most = min(longest, max(freely, payload.count * ratio))
        payload += FrameEncoder.tail
        guard var inflater = Inflater(.raw) else {
            throw WebSocketFailure(code: .tooBig, reason: "there is no memory for a compressed message")
        }
        var message: [UInt8] = []
        var room = [UInt8](repeating: 0, count: chunk)
        var (start, ends) = (0, 0)
        while true {
            let step = room.withUnsafeMutableBytes { room in
                payload.withUnsafeBytes { inflater.inflate(.init(rebasing: $0[start...]), into: room) }
            }
            start += step.consumed
            guard message.count + step.produced <= most else {
                throw WebSocketFailure(code: .tooBig, reason: "a message may unpack to \(most) bytes")
            }
            message += room[..<step.produced]
            switch step.outcome {
            // The end must be a block's, or something was left out.
            case .goesOn where start == payload.count && inflater.isBetweenBlocks: return message
            case .goesOn where step.produced == chunk: continue
            // A last block may stand before the message's end (RFC 7692, section 7.2.3.4).
            case .end where start < payload.count && ends < mostEnds && inflater.reset(): ends += 1
            case .goesOn, .end, .corrupt, .noMemory: throw corrupt
            }
        }
    }

    private static var corrupt: WebSocketFailure {
        WebSocketFailure(code: .badPayload, reason: "a compressed message does not decompress")
    }
}
