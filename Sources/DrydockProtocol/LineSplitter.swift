// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

internal import Glibc

/// A piece of output as `LineSplitter` hands it over; good only during the call.
package struct OutputSegment {
    package enum End: Sendable, Hashable {
        /// A line of the log: ended by LF or CR LF, or the last bytes there were.
        case line
        /// Ended by a lone CR: to be observed, and then overwritten by what follows.
        case overwritten
    }

    /// At most `PluginLineLimits.line` bytes, without what ended them.
    package let bytes: UnsafeRawBufferPointer
    package let end: End
    /// Whether it begins at column 0; only such a segment can be a record.
    package let startsLine: Bool
    /// Bytes that followed `bytes` and were thrown away.
    package let dropped: Int
    /// It was handed over as `.overwritten` already: nothing came after its CR, so it is the line after all.
    package let isRepeated: Bool
}

/// Cuts a stream of bytes into lines, in memory that does not depend on what comes.
///
/// LF and CR LF end a line. A lone CR ends a segment; of a line's segments the last one that is not empty is the line,
/// as on a terminal. Lines beyond `PluginLineLimits.line` are clipped and what is lost is counted.
package struct LineSplitter: ~Copyable, Sendable {
    private static let limit = PluginLineLimits.line
    private static let lineFeed: Int32 = 0x0A
    private static let carriageReturn: Int32 = 0x0D
    private static var nothing: UnsafeRawBufferPointer { UnsafeRawBufferPointer(start: nil, count: 0) }

    private var current: [UInt8] = []
    private var currentDropped = 0
    /// The newest segment of this line that was not empty and has been overwritten.
    private var held: [UInt8] = []
    private var heldDropped = 0
    private var startsLine = true
    /// A CR was read, and what follows it is not known yet.
    private var pendingReturn = false

    package init() {}

    /// Reads on; `body` gets the segments that end in `chunk`, in order.
    package mutating func push(_ chunk: UnsafeRawBufferPointer, _ body: (OutputSegment) -> Void) {
        guard let base = chunk.baseAddress else { return }
        var start = 0
        while start < chunk.count {
            let feed = memchr(base + start, Self.lineFeed, chunk.count - start)
            let lineEnd = feed.map { UnsafeRawPointer($0) - base } ?? chunk.count
            pushPiece(UnsafeRawBufferPointer(rebasing: chunk[start..<lineEnd]), endsLine: feed != nil, body)
            start = lineEnd + 1
        }
    }

    /// Hands over what is left when the stream has ended without a newline.
    package mutating func finish(_ body: (OutputSegment) -> Void) {
        if pendingReturn || !current.isEmpty || !held.isEmpty { endLine(Self.nothing, body) }
    }

    /// Reads bytes without LF.
    private mutating func pushPiece(
        _ piece: UnsafeRawBufferPointer,
        endsLine: Bool,
        _ body: (OutputSegment) -> Void
    ) {
        var rest = piece
        if pendingReturn, !rest.isEmpty {
            overwrite(Self.nothing, body)
        }
        while let base = rest.baseAddress, let found = memchr(base, Self.carriageReturn, rest.count) {
            let index = UnsafeRawPointer(found) - base
            let segment = UnsafeRawBufferPointer(rebasing: rest[..<index])
            rest = UnsafeRawBufferPointer(rebasing: rest[(index + 1)...])
            if rest.isEmpty {
                // The next byte decides whether this was CR LF.
                keep(segment)
                pendingReturn = true
            } else {
                overwrite(segment, body)
            }
        }
        if endsLine { endLine(rest, body) } else { keep(rest) }
    }

    /// Remembers bytes of the segment that goes on, up to the limit.
    private mutating func keep(_ bytes: UnsafeRawBufferPointer) {
        let room = Self.limit - current.count
        current.append(contentsOf: bytes.prefix(room))
        currentDropped += max(0, bytes.count - room)
    }

    /// Ends a segment by a lone CR.
    private mutating func overwrite(_ bytes: UnsafeRawBufferPointer, _ body: (OutputSegment) -> Void) {
        keep(bytes)
        pendingReturn = false
        if !current.isEmpty {
            emit(current, dropped: currentDropped, end: .overwritten, isRepeated: false, body)
            swap(&held, &current)
            heldDropped = currentDropped
            current.removeAll(keepingCapacity: true)
            currentDropped = 0
        }
        startsLine = false
    }

    private mutating func endLine(_ bytes: UnsafeRawBufferPointer, _ body: (OutputSegment) -> Void) {
        if current.isEmpty, held.isEmpty || !bytes.isEmpty, bytes.count <= Self.limit {
            // The usual case: the whole line lies in the caller's buffer.
            body(
                OutputSegment(bytes: bytes, end: .line, startsLine: startsLine, dropped: 0, isRepeated: false)
            )
        } else {
            keep(bytes)
            let isRepeated = current.isEmpty
            if isRepeated {
                emit(held, dropped: heldDropped, end: .line, isRepeated: true, body)
            } else {
                emit(current, dropped: currentDropped, end: .line, isRepeated: false, body)
            }
        }
        current.removeAll(keepingCapacity: true)
        held.removeAll(keepingCapacity: true)
        (currentDropped, heldDropped, startsLine, pendingReturn) = (0, 0, true, false)
    }

    private func emit(
        _ bytes: [UInt8],
        dropped: Int,
        end: OutputSegment.End,
        isRepeated: Bool,
        _ body: (OutputSegment) -> Void
    ) {
        bytes.withUnsafeBytes { buffer in
            body(
                OutputSegment(
                    bytes: buffer,
                    end: end,
                    startsLine: startsLine && !isRepeated,
                    dropped: dropped,
                    isRepeated: isRepeated
                )
            )
        }
    }
}
