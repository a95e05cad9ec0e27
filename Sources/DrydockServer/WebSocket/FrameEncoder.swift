// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import DrydockOS
import NIOCore
import Synchronization

/// Makes the frames of messages, deflated (RFC 7692) where somebody reads that.
///
/// A deflater keeps 256 KiB: a few are shared by all rooms, and no connection has one.
final class FrameEncoder: Sendable {
    private final class Slot: Sendable {
        let deflater = Mutex<Deflater?>(nil)
    }

    /// Shorter messages are not worth it.
    static let shortest = 256
    /// What each compressed message ends with, and its frame leaves out (RFC 7692, section 7.2.1).
    static let tail: [UInt8] = [0x00, 0x00, 0xFF, 0xFF]
    /// The largest window, which all deflated frames of a room are made with.
    static let window = 15
    private static let level = 1

    /// As many messages are deflated at once.
    private let slots = (0..<4).map { _ in Slot() }

    /// Makes the frame for all connections of a room; `deflating` = at least one of them reads deflated ones.
    func frame(_ opcode: WebSocketOpcode, _ message: [UInt8], deflating: Bool) -> SharedFrame {
        var plain = ByteBuffer()
        WebSocketEncoder.append(opcode, message, to: &plain)
        guard deflating, let bytes = deflate(message, window: Self.window) else {
            return SharedFrame(plain: plain, deflated: nil)
        }
        var deflated = ByteBuffer()
        WebSocketEncoder.append(opcode, bytes, .deflated, to: &deflated)
        return SharedFrame(plain: plain, deflated: deflated)
    }

    /// Makes the frame for one connection, deflated with its window; nil = it reads none.
    func frame(_ opcode: WebSocketOpcode, _ message: [UInt8], window: Int?) -> ByteBuffer {
        var frame = ByteBuffer()
        if let window, let bytes = deflate(message, window: window) {
            WebSocketEncoder.append(opcode, bytes, .deflated, to: &frame)
        } else {
            WebSocketEncoder.append(opcode, message, to: &frame)
        }
        return frame
    }

    /// The message as its frame has it; nil where that is not shorter.
    private func deflate(_ message: [UInt8], window: Int) -> [UInt8]? {
        guard message.count >= Self.shortest else { return nil }
        let most = message.count
        // A narrow window is rare: what makes it lives for one message.
        guard window == Self.window else {
            guard var deflater = Deflater(level: Self.level, windowBits: window) else { return nil }
            return Self.withoutTail(deflater.deflate(message, most: most))
        }
        for slot in slots {
            let done = slot.deflater.withLockIfAvailable { Self.deflate(message, most, &$0) }
            if let done { return done }
        }
        // All are at work, for less than a millisecond.
        return slots[0].deflater.withLock { Self.deflate(message, most, &$0) }
    }

    private static func deflate(_ message: [UInt8], _ most: Int, _ deflater: inout Deflater?) -> [UInt8]? {
        if deflater == nil { deflater = Deflater(level: level, windowBits: window) }
        return withoutTail(deflater?.deflate(message, most: most))
    }

    private static func withoutTail(_ bytes: consuming [UInt8]?) -> [UInt8]? {
        guard var bytes, bytes.suffix(tail.count).elementsEqual(tail) else { return nil }
        bytes.removeLast(tail.count)
        return bytes
    }
}
