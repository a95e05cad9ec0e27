// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

/// A frame of HTTP/2 (RFC 9113, section 4.1).
struct HTTP2Frame: Sendable {
    var type: UInt8
    var flags: UInt8 = 0
    var stream: UInt8 = 0
    var payload: [UInt8] = []
}

// HTTP/2 as its bytes are: curl says what is right, and no more.
extension RawClient {
    /// The preface, and settings that change nothing.
    func greet() async throws {
        try await send(Array("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".utf8))
        try await send(HTTP2Frame(type: 4))
    }

    func send(_ frame: HTTP2Frame) async throws {
        let count = frame.payload.count
        let length = [UInt8(count >> 16), UInt8(count >> 8 & 0xFF), UInt8(count & 0xFF)]
        try await send(length + [frame.type, frame.flags, 0, 0, 0, frame.stream] + frame.payload)
    }

    func http2Frame() async throws -> HTTP2Frame {
        let head = try await read(9)
        let count = Int(head[0]) << 16 | Int(head[1]) << 8 | Int(head[2])
        return HTTP2Frame(type: head[3], flags: head[4], stream: head[8], payload: try await read(count))
    }

    /// A request without a body, its headers as they are (RFC 7541, section 6.2.2).
    func ask(_ stream: UInt8, _ headers: [(String, String)]) async throws {
        var payload: [UInt8] = []
        for (name, value) in headers {
            payload += [0, UInt8(name.utf8.count)] + Array(name.utf8)
            payload += [UInt8(value.utf8.count)] + Array(value.utf8)
        }
        // The end of the headers, and of the stream.
        try await send(HTTP2Frame(type: 1, flags: 5, stream: stream, payload: payload))
    }

    /// The status of the answer on `stream`, of those that the protocol has a number for (RFC 7541, appendix A).
    func status(_ stream: UInt8) async throws -> Int? {
        while true {
            let frame = try await http2Frame()
            guard frame.stream == stream, frame.type == 1 else { continue }
            let numbers: [UInt8: Int] = [0x88: 200, 0x89: 204, 0x8B: 304, 0x8C: 400, 0x8D: 404, 0x8E: 500]
            return frame.payload.first { !(0x20...0x3F).contains($0) }.flatMap { numbers[$0] }
        }
    }
}
