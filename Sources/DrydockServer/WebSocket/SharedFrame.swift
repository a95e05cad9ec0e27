// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import NIOCore

/// provisional
struct SharedFrame: Sendable {
    let plain: ByteBuffer
    init(_ message: [UInt8], deflated: Bool) {
        var buffer = ByteBuffer()
        WebSocketEncoder.append(.text, message, to: &buffer)
        plain = buffer
    }
    var size: Int { plain.readableBytes }
}
