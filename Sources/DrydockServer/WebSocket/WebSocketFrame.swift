// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import NIOCore

/// What a client's frame is (RFC 6455, section 5.2).
enum WebSocketOpcode: UInt8, Sendable {
    case continuation = 0x0
    case text = 0x1
    case binary = 0x2
    case close = 0x8
    case ping = 0x9
    case pong = 0xA

    /// Control frames may stand between the fragments of a message.
    var isControl: Bool { rawValue & 0x8 != 0 }
}

/// Why a connection is closed (RFC 6455, section 7.4, and the ranges of `docs/wire.md`).
struct WebSocketCloseCode: Hashable, Sendable {
    let number: UInt16

    static let normal = WebSocketCloseCode(number: 1000)
    static let protocolError = WebSocketCloseCode(number: 1002)
    static let badPayload = WebSocketCloseCode(number: 1007)
    static let policy = WebSocketCloseCode(number: 1008)
    static let tooBig = WebSocketCloseCode(number: 1009)
    static let restart = WebSocketCloseCode(number: 1012)
    /// So many connections are open already: later there may be room.
    static let crowded = WebSocketCloseCode(number: 4429)
    /// No token came in time, or one that is worth nothing: connecting again as before would end as before.
    static let unauthorized = WebSocketCloseCode(number: 4501)

    /// Whether a peer may send it.
    var isAllowed: Bool {
        switch number {
        case 1000...1003, 1007...1014, 3000...4999: true
        default: false
        }
    }
}

/// A client broke the protocol; the connection ends with `code`.
struct WebSocketFailure: Error, Hashable, Sendable {
    let code: WebSocketCloseCode
    let reason: String
}

/// Something complete that a client sent.
enum WebSocketInput: Hashable, Sendable {
    /// A whole text message, valid UTF-8.
    case text([UInt8])
    /// A whole binary message; empty where such are only counted.
    case binary([UInt8])
    /// A frame that neither brings bytes nor ends a message; a client could send them without end.
    case emptyFragment
    case ping([UInt8])
    case pong
    /// nil = without a code.
    case close(WebSocketCloseCode?)
}

/// Makes frames as a server sends them: unmasked, in one piece.
enum WebSocketEncoder {
    /// How a payload stands in its frame.
    enum Payload: UInt8, Sendable {
        case plain = 0
        /// Compressed: RSV1 is set (RFC 7692, section 6).
        case deflated = 0x40
    }

    /// Appends one frame to `buffer`.
    static func append(
        _ opcode: WebSocketOpcode,
        _ payload: [UInt8],
        _ form: Payload = .plain,
        to buffer: inout ByteBuffer
    ) {
        buffer.writeInteger(0x80 | form.rawValue | opcode.rawValue)
        switch payload.count {
        case 0...125:
            buffer.writeInteger(UInt8(payload.count))
        case 126...0xFFFF:
            buffer.writeInteger(UInt8(126))
            buffer.writeInteger(UInt16(payload.count))
        default:
            buffer.writeInteger(UInt8(127))
            buffer.writeInteger(UInt64(payload.count))
        }
        buffer.writeBytes(payload)
    }

    /// Appends a close frame; the reason is cut to the 123 bytes that fit.
    static func appendClose(_ code: WebSocketCloseCode?, _ reason: String, to buffer: inout ByteBuffer) {
        guard let code else { return append(.close, [], to: &buffer) }
        let bytes = [UInt8(code.number >> 8), UInt8(code.number & 0xFF)]
        let short = reason.utf8.count <= 123 ? reason : String(reason.unicodeScalars.prefix(30))
        append(.close, bytes + Array(short.utf8), to: &buffer)
    }
}
