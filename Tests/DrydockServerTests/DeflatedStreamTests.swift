// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import DrydockModel
import Testing

@testable import DrydockServer

@Suite("/ws with permessage-deflate", .timeLimit(.minutes(1)))
struct DeflatedStreamTests {
    private static let lines = (0..<400).map {
        "libtool: compile: gcc -O2 -c src/file\($0).c -o .libs/file\($0).o"
    }

    @Test("a client that offers it gets the same messages as one that does not, in fewer bytes")
    func same() async throws {
        try await withServer { server in
            try await server.watch("s") { plain in
                let offer = "permessage-deflate; client_max_window_bits"
                try await server.watch("s", offering: offer) { packed in
                    _ = try await server.enqueue("s")
                    let work = try await server.begin()
                    for start in stride(from: 0, to: 400, by: 100) {
                        try work.log(Array(Self.lines[start..<start + 100]))
                    }
                    try await work.finish()
                    let frames = try await Self.frames(of: packed)
                    let others = try await Self.frames(of: plain)
                    #expect(frames.map(\.payload) == others.map(\.payload))
                    #expect(frames.count { $0.isDeflated } >= 20 && !others.contains { $0.isDeflated })
                    #expect(
                        frames.allSatisfy { $0.isDeflated == ($0.payload.count >= FrameEncoder.shortest) }
                    )
                }
            }
        }
    }

    @Test("who joins in the middle or asks for a narrow window gets what it can read")
    func joining() async throws {
        try await withServer { server in
            _ = try await server.enqueue("s")
            let work = try await server.begin()
            try work.log(Array(Self.lines[..<20]))
            let narrow = "permessage-deflate; server_max_window_bits=9"
            try await server.watch("s", offering: narrow) { narrow in
                try await server.watch("s", offering: "permessage-deflate") { wide in
                    for client in [narrow, wide] {
                        while try await client.message()["data"]?["logs"]?.array?.count != 20 {}
                    }
                    try work.log(Array(Self.lines[20..<40]))
                    try await work.finish()
                    let frames = try await Self.frames(of: wide)
                    let others = try await Self.frames(of: narrow)
                    #expect(frames.map(\.payload) == others.map(\.payload))
                    #expect(frames.contains { $0.isDeflated } && !others.contains { $0.isDeflated })
                }
            }
        }
    }

    @Test("what a client sends compressed is understood, and too much of it ends the connection")
    func input() async throws {
        try await withServer { server in
            try await server.connect { client in
                let answer = try await client.upgrade(offering: "permessage-deflate")
                #expect(answer == DeflateAgreement(offers: ["permessage-deflate"])?.answer)
                try await client.send(clientFrame(0xC1, deflated(Array(#"{"type":"PING"}"#.utf8))))
                #expect(try await client.message()["type"]?.string == "PONG")
                let bomb = deflated([UInt8](repeating: 0x20, count: 1 << 20))
                try await client.send(clientFrame(0xC1, bomb))
                let end = try await client.frame()
                #expect(end.opcode == 0x8 && end.payload.prefix(2) == [0x03, 0xF1])
            }
            try await server.connect { client in
                #expect(try await client.upgrade(offering: "permessage-deflate; level=9") == nil)
                try await client.send(clientFrame(0xC1, deflated(Array(#"{"type":"PING"}"#.utf8))))
                #expect(try await client.frame().payload.prefix(2) == [0x03, 0xEA])
            }
        }
    }

    @Test("bytes handed to sockets are counted as they go out")
    func bytes() async throws {
        try await withServer { server in
            try await server.watch("s", offering: "permessage-deflate") { client in
                let before = try await Self.bytes(server)
                _ = try await server.enqueue("s")
                let work = try await server.begin()
                try work.log(Self.lines)
                try await work.finish()
                let told = try await Self.frames(of: client).reduce(0) { $0 + $1.payload.count }
                let sent = try await Self.bytes(server) - before
                #expect(sent > 0 && sent * 3 < told, "\(sent) of \(told)")
            }
        }
    }

    private static func bytes(_ server: RunningServer) async throws -> Int {
        let metrics = try await server.request("GET", "/metrics").text
        let line = metrics.split(separator: "\n").first { $0.hasPrefix("drydock_ws_bytes_total ") }
        return line.flatMap { Int($0.split(separator: " ")[1]) } ?? -1
    }

    /// Text messages up to the one that ends the build.
    private static func frames(of client: RawClient) async throws -> [ServerFrame] {
        var frames: [ServerFrame] = []
        while true {
            let frame = try await client.frame()
            if frame.opcode == 0x8 { throw ConnectionEnded() }
            guard frame.opcode == 0x1 else { continue }
            frames.append(frame)
            let text = String(decoding: frame.payload, as: UTF8.self)
            if text.contains(#""build_completed""#) { return frames }
        }
    }
}
