// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import NIOCore

/// Reads what a client sends, strictly (RFC 6455, section 5): masks, reserved bits, opcodes, lengths, fragments,
/// UTF-8 and close codes are checked; a breach is an error value and the end of the connection.
///
/// Never holds more than one message of `longestMessage` bytes, as it came, and one frame's header. A compressed message
/// (RFC 7692) is kept compressed until it is whole.
struct WebSocketDecoder: Sendable {
    /// What becomes of binary messages.
    enum Binary: Sendable {
        /// They are answered, not kept: their bytes are only counted.
        case counted
        case kept
    }

    private struct Header {
        var isFinal: Bool
        var isDeflated: Bool
        var opcode: WebSocketOpcode
        var length: Int
        var mask: UInt32
    }

    /// A text or binary message whose last fragment has not come.
    private struct OpenMessage {
        let isText: Bool
        let isDeflated: Bool
        let isKept: Bool
        private(set) var count = 0
        private(set) var bytes: [UInt8] = []
        private var validator = UTF8Validator()

        init(isText: Bool, isDeflated: Bool, isKept: Bool) {
            self.isText = isText
            self.isDeflated = isDeflated
            self.isKept = isKept
        }

        /// Takes a fragment; false where it is no UTF-8 and should be.
        mutating func append(_ payload: [UInt8]) -> Bool {
            count += payload.count
            guard isKept else { return true }
            if bytes.isEmpty { bytes = payload } else { bytes += payload }
            return !isText || isDeflated || validator.accept(payload)
        }

        /// The whole message, at most `longest` bytes of it.
        consuming func content(longest: Int) throws(WebSocketFailure) -> [UInt8] {
            guard isKept else { return [] }
            if isDeflated {
                bytes = try MessageInflater.inflate(bytes, longest: longest)
                guard !isText || validator.accept(bytes) else { throw WebSocketDecoder.notUTF8 }
            }
            guard validator.isComplete else {
                throw WebSocketFailure(code: .badPayload, reason: "a text message ends inside a character")
            }
            return bytes
        }
    }

    private static let notUTF8 = WebSocketFailure(code: .badPayload, reason: "a text message is not UTF-8")

    var longestMessage: Int

    private let binary: Binary
    private let readsDeflated: Bool
    private var buffer = ByteBuffer()
    private var message: OpenMessage?

    /// `readsDeflated` = the client may compress messages.
    init(longestMessage: Int, binary: Binary = .counted, readsDeflated: Bool = false) {
        self.longestMessage = longestMessage
        self.binary = binary
        self.readsDeflated = readsDeflated
    }

    /// Takes bytes from the socket.
    mutating func feed(_ bytes: inout ByteBuffer) {
        if buffer.readableBytes == 0 {
            buffer = bytes
        } else {
            buffer.writeBuffer(&bytes)
        }
    }

    /// The next complete thing; nil when more bytes are needed.
    mutating func next() throws(WebSocketFailure) -> WebSocketInput? {
        while true {
            let start = buffer
            guard let header = try readHeader(), var payload = buffer.readBytes(length: header.length) else {
                buffer = start
                trim()
                return nil
            }
            Self.unmask(&payload, with: header.mask)
            let input =
                header.opcode.isControl
                ? try control(header.opcode, payload) : try data(header, payload)
            if let input { return input }
        }
    }

    /// Gives memory back between messages, so that an idle connection costs little.
    private mutating func trim() {
        if buffer.readableBytes == 0 {
            buffer = ByteBuffer()
        } else if buffer.readerIndex > 16 << 10 {
            buffer.discardReadBytes()
        }
    }

    private mutating func readHeader() throws(WebSocketFailure) -> Header? {
        guard let first = buffer.readInteger(as: UInt8.self), let second = buffer.readInteger(as: UInt8.self)
        else { return nil }
        guard first & 0x30 == 0 else { throw violation("a reserved bit is set") }
        guard let opcode = WebSocketOpcode(rawValue: first & 0x0F) else {
            throw violation("a reserved opcode")
        }
        let isFinal = first & 0x80 != 0
        let isDeflated = first & 0x40 != 0
        guard !isDeflated || (readsDeflated && (opcode == .text || opcode == .binary)) else {
            throw violation("a reserved bit is set")
        }
        guard second & 0x80 != 0 else { throw violation("a client's frame must be masked") }
        let short = second & 0x7F
        guard !opcode.isControl || (isFinal && short <= 125) else {
            throw violation("a control frame must be whole and of at most 125 bytes")
        }
        try checkOrder(opcode)
        guard let length = try readLength(short) else { return nil }
        guard length <= UInt64(longestMessage - (message?.count ?? 0)) else {
            throw WebSocketFailure(code: .tooBig, reason: "a message may have \(longestMessage) bytes")
        }
        guard let mask = buffer.readInteger(as: UInt32.self) else { return nil }
        return Header(
            isFinal: isFinal,
            isDeflated: isDeflated,
            opcode: opcode,
            length: Int(length),
            mask: mask
        )
    }

    private func checkOrder(_ opcode: WebSocketOpcode) throws(WebSocketFailure) {
        switch opcode {
        case .continuation where message == nil: throw violation("a continuation without a message")
        case .text where message != nil, .binary where message != nil:
            throw violation("a new message inside a fragmented one")
        default: break
        }
    }

    /// The payload's length in its shortest form; nil when more bytes are needed.
    private mutating func readLength(_ short: UInt8) throws(WebSocketFailure) -> UInt64? {
        switch short {
        case 126:
            guard let length = buffer.readInteger(as: UInt16.self) else { return nil }
            guard length > 125 else { throw violation("a length in a longer form than needed") }
            return UInt64(length)
        case 127:
            guard let length = buffer.readInteger(as: UInt64.self) else { return nil }
            guard length > 0xFFFF, length >> 63 == 0 else { throw violation("a length in a wrong form") }
            return length
        default:
            return UInt64(short)
        }
    }

    private mutating func control(
        _ opcode: WebSocketOpcode,
        _ payload: [UInt8]
    ) throws(WebSocketFailure) -> WebSocketInput {
        switch opcode {
        case .ping: return .ping(payload)
        case .pong: return .pong
        default: return .close(try closeCode(payload))
        }
    }

    private func closeCode(_ payload: [UInt8]) throws(WebSocketFailure) -> WebSocketCloseCode? {
        guard !payload.isEmpty else { return nil }
        guard payload.count >= 2 else { throw violation("a close code has two bytes") }
        let code = WebSocketCloseCode(number: UInt16(payload[0]) << 8 | UInt16(payload[1]))
        guard code.isAllowed else { throw violation("the close code \(code.number) may not be sent") }
        var validator = UTF8Validator()
        guard validator.accept(payload[2...]), validator.isComplete else {
            throw WebSocketFailure(code: .badPayload, reason: "the close reason is not UTF-8")
        }
        return code
    }

    private mutating func data(
        _ header: Header,
        _ payload: [UInt8]
    ) throws(WebSocketFailure) -> WebSocketInput? {
        if header.opcode != .continuation {
            let isText = header.opcode == .text
            let isKept = isText || binary == .kept
            message = OpenMessage(isText: isText, isDeflated: header.isDeflated, isKept: isKept)
        }
        guard message?.append(payload) ?? true else { throw Self.notUTF8 }
        if header.isFinal, let whole = message.take() {
            let isText = whole.isText
            let content = try whole.content(longest: longestMessage)
            return isText ? .text(content) : .binary(content)
        }
        return header.length == 0 ? .emptyFragment : nil
    }

    private static func unmask(_ bytes: inout [UInt8], with mask: UInt32) {
        let keys = [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: mask >> $0) }
        for index in bytes.indices { bytes[index] ^= keys[index & 3] }
    }

    private func violation(_ reason: String) -> WebSocketFailure {
        WebSocketFailure(code: .protocolError, reason: reason)
    }
}
