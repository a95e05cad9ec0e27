// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import NIOCore

/// One message as a frame: made once, and sent as it is to all who get it.
struct SharedFrame: Sendable {
    let plain: ByteBuffer
    /// nil = nobody reads it, or it saves nothing.
    let deflated: ByteBuffer?

    /// Bytes of both forms.
    var size: Int { plain.readableBytes + (deflated?.readableBytes ?? 0) }
}

/// Frames of one batch, encoded once for every connection of a session.
struct FrameBatch: Sendable {
    /// The frames in one of their two forms.
    struct Form: Sendable {
        /// All of them.
        var all = ByteBuffer()
        /// Those that no connection may miss; nil when there are none.
        var essential: ByteBuffer?
        /// The newest that may be skipped, unless an essential one follows it.
        var lastSkippable: ByteBuffer?
    }

    private(set) var plain = Form()
    /// nil = none of the frames is deflated.
    private var deflated: Form?
    private(set) var count = 0
    private(set) var skippableCount = 0

    /// The same bytes, in memory that no other thread touches.
    ///
    /// A buffer's count of its users is written for each connection that it is sent to: two event loops that do so at one time
    /// wait for each other's caches more than they work.
    func copied() -> FrameBatch {
        var copy = self
        copy.plain.all = ByteBuffer(bytes: plain.all.readableBytesView)
        if let deflated { copy.deflated?.all = ByteBuffer(bytes: deflated.all.readableBytesView) }
        return copy
    }

    /// The frames as a connection reads them.
    func form(readsDeflated: Bool) -> Form { readsDeflated ? deflated ?? plain : plain }

    /// Appends one message.
    mutating func add(_ frame: SharedFrame, maySkip: Bool) {
        // Up to now both forms were the same.
        if frame.deflated != nil, deflated == nil { deflated = plain }
        deflated?.add(frame.deflated ?? frame.plain, maySkip: maySkip, isFirst: count == 0)
        plain.add(frame.plain, maySkip: maySkip, isFirst: count == 0)
        count += 1
        if maySkip { skippableCount += 1 }
    }
}

extension FrameBatch.Form {
    fileprivate mutating func add(_ frame: ByteBuffer, maySkip: Bool, isFirst: Bool) {
        var copy = frame
        if isFirst { all = frame } else { all.writeBuffer(&copy) }
        if maySkip {
            lastSkippable = frame
        } else {
            lastSkippable = nil
            guard var kept = essential else {
                essential = frame
                return
            }
            copy = frame
            kept.writeBuffer(&copy)
            essential = kept
        }
    }
}
