// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import ServiceLifecycle
import Synchronization
import Testing

@testable import DrydockServer

@Suite("Shutdown", .timeLimit(.minutes(1)))
struct ShutdownTests {
    /// Viewers that have read their close.
    private final class Told: Sendable {
        let count = Mutex(0)
    }

    @Test(
        "viewers are sent away with 1012, followers get their end, and nobody who waits can hold the server"
    )
    func graceful() async throws {
        try await withServer {
            $0.shutdownPatience = .milliseconds(300)
        } _: { server in
            _ = try await server.enqueue("s")
            let work = try await server.begin()
            try await server.watch("s") { viewer in
                try await server.connect { follower in
                    try await follower.request("GET", "/api/v1/builds/\(work.lease.build.id)/events")
                    #expect(try await follower.head().status == 200)
                    try await server.connect { uploader in
                        let head =
                            "POST /api/v1/builds HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\nhalf"
                        try await uploader.send(Array(head.utf8))
                        server.shutDown()
                        var frame = try await viewer.frame()
                        while frame.opcode != 0x8 { frame = try await viewer.frame() }
                        #expect(frame.payload.prefix(2) == [0x03, 0xF4])
                        try await follower.end()
                        try await uploader.end()
                    }
                }
            }
            // Comes back only when the server has ended by itself.
            await server.ended()
        }
    }

    @Test(
        "each of many viewers is told when to come back, with nobody else there to wait for",
        arguments: [false, true]
    )
    func viewersAlone(_ hasBuild: Bool) async throws {
        try await withServer {
            $0.shutdownPatience = .seconds(8)
        } _: { server in
            if hasBuild {
                _ = try await server.enqueue("s")
                _ = try await server.begin()
            }
            let told = Told()
            try await withThrowingTaskGroup(of: Void.self) { group in
                let (seated, sit) = AsyncStream<Void>.makeStream()
                for _ in 0..<6 {
                    group.addTask {
                        try await server.watch("s") { viewer in
                            sit.yield()
                            var frame = try await viewer.frame()
                            while frame.opcode != 0x8 { frame = try await viewer.frame() }
                            #expect(frame.payload.prefix(2) == [0x03, 0xF4])
                            let reason = String(decoding: frame.payload.dropFirst(2), as: UTF8.self)
                            #expect(reason.contains("retry_ms="))
                            told.count.withLock { $0 += 1 }
                        }
                    }
                }
                for _ in 0..<6 { for await _ in seated { break } }
                server.shutDown()
                // The process may be gone a moment later.
                await server.ended()
                #expect(told.count.withLock(\.self) == 6)
                try await group.waitForAll()
            }
        }
    }
}
