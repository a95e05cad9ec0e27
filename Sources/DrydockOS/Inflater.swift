// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import CZlib

/// Decompresses one stream of deflate after another (RFC 1951).
package struct Inflater: ~Copyable {
    /// What stands around the compressed bytes.
    package enum Wrapping: Sendable {
        /// Nothing, as inside zip and in WebSocket messages.
        case raw
        /// A gzip member; its checksum and length are verified (RFC 1952).
        case gzip
    }

    /// How a step ended.
    package enum Outcome: Sendable {
        /// More input or more room is needed.
        case goesOn
        /// The stream is complete.
        case end
        case corrupt
        case noMemory
    }

    /// What a step did.
    package struct Step: Sendable {
        package let outcome: Outcome
        /// Bytes that were read, and bytes that were written.
        package let consumed: Int
        package let produced: Int
    }

    private let inflater: OpaquePointer

    /// Ready for a first stream; nil without memory.
    package init?(_ wrapping: Wrapping) {
        guard let made = czlib_inflater_new(wrapping == .gzip ? CZLIB_GZIP : CZLIB_RAW) else { return nil }
        inflater = made
    }

    deinit { czlib_inflater_free(inflater) }

    /// Decompresses from `input` into `room`, as far as one of them goes.
    package mutating func inflate(
        _ input: UnsafeRawBufferPointer,
        into room: UnsafeMutableRawBufferPointer
    ) -> Step {
        var consumed: UInt32 = 0
        var produced: UInt32 = 0
        guard let target = room.bindMemory(to: UInt8.self).baseAddress else {
            return Step(outcome: .goesOn, consumed: 0, produced: 0)
        }
        let result = czlib_inflate(
            inflater,
            input.bindMemory(to: UInt8.self).baseAddress,
            UInt32(clamping: input.count),
            target,
            UInt32(clamping: room.count),
            &consumed,
            &produced
        )
        let outcome: Outcome =
            switch result {
            case CZLIB_CONTINUE: .goesOn
            case CZLIB_END: .end
            case CZLIB_NO_MEMORY: .noMemory
            default: .corrupt
            }
        return Step(outcome: outcome, consumed: Int(consumed), produced: Int(produced))
    }

    /// Makes it ready for the next stream; false where zlib refuses.
    package mutating func reset() -> Bool { czlib_inflater_reset(inflater) == CZLIB_CONTINUE }

    /// Whether what the last step read ended with a block, to the byte; a step without input forgets it.
    package var isBetweenBlocks: Bool { czlib_inflater_is_between_blocks(inflater) != 0 }
}
