// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import DrydockModel
import FoundationEssentials
import Glibc
import NIOCore

@testable import DrydockServer

/// The end of the stream came before what was waited for.
struct ConnectionEnded: Error {}

/// An HTTP response as it came.
struct RawResponse: Sendable {
    var status: Int
    var headers: [String: String]
    var body: [UInt8]

    var text: String { String(decoding: body, as: UTF8.self) }
    var json: JSON? { try? JSONDecoder().decode(JSON.self, from: Data(body)) }
}

/// A WebSocket message or frame from the server.
struct ServerFrame: Sendable {
    var opcode: UInt8
    /// The message's bytes, decompressed where they came compressed.
    var payload: [UInt8]
    var isDeflated = false
}

/// A client that says exactly what it is told, right or wrong.
actor RawClient {
    private var iterator: NIOAsyncChannelInboundStream<ByteBuffer>.AsyncIterator?
    private let outbound: NIOAsyncChannelOutboundWriter<ByteBuffer>
    private var buffer = ByteBuffer()
    private var put: [JSON] = []

    init(
        inbound: NIOAsyncChannelInboundStream<ByteBuffer>,
        outbound: NIOAsyncChannelOutboundWriter<ByteBuffer>
    ) {
        self.iterator = inbound.makeAsyncIterator()
        self.outbound = outbound
    }

    func send(_ bytes: [UInt8]) async throws { try await outbound.write(ByteBuffer(bytes: bytes)) }

    /// Sends no more; what the server sends is still read.
    func endSending() { outbound.finish() }

    /// Gives messages back, to be read again.
    func unread(_ messages: some Sequence<JSON>) { put = Array(messages) + put }

    private func more() async throws {
        guard var taken = iterator else { throw ConnectionEnded() }
        iterator = nil
        let piece = try await taken.next(isolation: self)
        iterator = taken
        guard var piece else { throw ConnectionEnded() }
        buffer.writeBuffer(&piece)
    }

    func read(_ count: Int) async throws -> [UInt8] {
        while buffer.readableBytes < count { try await more() }
        return buffer.readBytes(length: count) ?? []
    }

    // MARK: HTTP

    func request(
        _ method: String,
        _ target: String,
        headers: [String: String] = [:],
        body: [UInt8] = []
    ) async throws {
        var text = "\(method) \(target) HTTP/1.1\r\n"
        var headers = headers
        if headers["Host"] == nil { headers["Host"] = "localhost" }
        if !body.isEmpty, headers["Content-Length"] == nil { headers["Content-Length"] = String(body.count) }
        for (name, value) in headers { text += "\(name): \(value)\r\n" }
        try await send(Array((text + "\r\n").utf8) + body)
    }

    /// Reads up to the empty line: status and headers, names in lower case.
    func head() async throws -> RawResponse {
        var bytes: [UInt8] = []
        while bytes.suffix(4) != [13, 10, 13, 10] { bytes += try await read(1) }
        let lines = String(decoding: bytes, as: UTF8.self).split(separator: "\r\n")
        var headers: [String: String] = [:]
        for line in lines.dropFirst() {
            guard let colon = line.firstIndex(of: ":") else { continue }
            headers[line[..<colon].lowercased()] = String(line[line.index(colon, offsetBy: 2)...])
        }
        let status = Int(lines[0].split(separator: " ")[1]) ?? 0
        return RawResponse(status: status, headers: headers, body: [])
    }

    func response(toHead: Bool = false) async throws -> RawResponse {
        var response = try await head()
        if response.status == 100 { response = try await head() }
        if toHead || response.status == 304 { return response }
        if let length = response.headers["content-length"].flatMap(Int.init) {
            response.body = try await read(length)
        } else if response.headers["transfer-encoding"] == "chunked" {
            while case let piece = try await chunk(), !piece.isEmpty { response.body += piece }
        }
        return response
    }

    /// One chunk of a chunked body; empty = the end.
    func chunk() async throws -> [UInt8] {
        var size: [UInt8] = []
        while size.suffix(2) != [13, 10] { size += try await read(1) }
        let count = Int(String(decoding: size.dropLast(2), as: UTF8.self), radix: 16) ?? 0
        let bytes = try await read(count)
        _ = try await read(2)
        return bytes
    }

    /// Returns when the server has closed the connection.
    func end() async throws {
        do {
            while true { try await more() }
        } catch is ConnectionEnded {
        } catch let error as IOError where error.errnoCode == ECONNRESET {
            // The server had not read all that was sent: the kernel tells the close as a reset.
        }
    }

    // MARK: WebSocket

    static let handshake = [
        "Upgrade": "websocket", "Connection": "keep-alive, Upgrade", "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
    ]

    /// What of the offered extensions was taken.
    @discardableResult
    func upgrade(offering extensions: String? = nil) async throws -> String? {
        let offer = extensions.map { ["Sec-WebSocket-Extensions": $0] } ?? [:]
        try await request("GET", "/ws", headers: Self.handshake.merging(offer) { $1 })
        let answer = try await head()
        guard answer.status == 101 else { throw ConnectionEnded() }
        return answer.headers["sec-websocket-extensions"]
    }

    func say(_ text: String) async throws { try await send(clientFrame(0x81, Array(text.utf8))) }

    func frame() async throws -> ServerFrame {
        let head = try await read(2)
        var count = Int(head[1])
        if count == 126 {
            count = try await read(2).reduce(0) { $0 << 8 | Int($1) }
        } else if count == 127 {
            count = try await read(8).reduce(0) { $0 << 8 | Int($1) }
        }
        let payload = try await read(count)
        let isDeflated = head[0] & 0x40 != 0
        return ServerFrame(
            opcode: head[0] & 0x0F,
            payload: isDeflated ? try MessageInflater.inflate(payload, longest: 1 << 20) : payload,
            isDeflated: isDeflated
        )
    }

    /// The next message.
    func message() async throws -> JSON {
        if !put.isEmpty { return put.removeFirst() }
        while true {
            let frame = try await frame()
            if frame.opcode == 0x8 { throw ConnectionEnded() }
            if frame.opcode == 0x1 { return try JSONDecoder().decode(JSON.self, from: Data(frame.payload)) }
        }
    }

    /// Messages up to the first one of one of `types`.
    func messages(until types: String...) async throws -> [JSON] {
        var messages: [JSON] = []
        while true {
            let next = try await message()
            messages.append(next)
            if types.contains(next["type"]?.string ?? "") { return messages }
        }
    }
}

extension [JSON] {
    var types: [String] { map { $0["type"]?.string ?? "" } }

    /// The lines of all `logs` arrays, each once; for logs whose lines differ.
    var lines: [String] {
        var seen: Set<String> = []
        return flatMap { $0["data"]?["logs"]?.array ?? [] }.compactMap(\.string).filter {
            seen.insert($0).inserted
        }
    }
}
