// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import DrydockModel
import Testing

@testable import DrydockServer

@Suite("Slow downloads", .timeLimit(.minutes(1)))
struct DownloadTests {
    /// How a connection comes to its end behind a download.
    enum Ending: String, Sendable {
        case oldVersion
        case asksForClose
        case closesItsHalf
        case serverShutsDown
        case otherUpgrade
    }

    @Test(
        "the last bytes of a download wait for its client, however the connection ends",
        arguments: [[.oldVersion, .asksForClose, .closesItsHalf, .otherUpgrade], [.serverShutsDown]]
            as [[Ending]]
    )
    func lastBytes(_ endings: [Ending]) async throws {
        try await withServer { server in
            _ = try await server.enqueue("s")
            let work = try await server.begin()
            // Around what the kernel and the server hold for a client that does not read: all of it was answered, and
            // some of it waits in the server.
            let sizes = (6...11).map { $0 << 19 }
            var artifacts: [Artifact] = []
            for size in sizes {
                artifacts.append(try work.artifact("\(size)", String(repeating: "x", count: size)))
            }
            try await work.finish(artifacts: artifacts)
            try await withThrowingTaskGroup(of: Void.self) { group in
                for size in sizes {
                    let path = "/api/v1/builds/\(work.lease.build.id)/artifacts/\(size)"
                    for ending in endings {
                        group.addTask { try await download(path, size, ending, server) }
                    }
                }
                if endings == [.serverShutsDown] {
                    try await Task.sleep(for: .milliseconds(700))
                    server.shutDown()
                }
                try await group.waitForAll()
            }
        }
    }

    @Test("who takes nothing of the last bytes does not hold a server that stops")
    func takesNothing() async throws {
        try await withServer {
            $0.shutdownPatience = .milliseconds(300)
        } _: { server in
            _ = try await server.enqueue("s")
            let work = try await server.begin()
            let artifact = try work.artifact("x", String(repeating: "x", count: 9 << 19))
            try await work.finish(artifacts: [artifact])
            try await server.connect(room: 64 << 10) { client in
                let path = "/api/v1/builds/\(work.lease.build.id)/artifacts/x"
                try await client.send(Array("GET \(path) HTTP/1.0\r\nHost: localhost\r\n\r\n".utf8))
                #expect(try await client.head().status == 200)
                server.shutDown()
                await server.ended()
            }
        }
    }

    private func download(_ path: String, _ size: Int, _ ending: Ending, _ server: RunningServer) async throws
    {
        try await server.connect(room: 64 << 10) { client in
            let version = ending == .oldVersion ? "1.0" : "1.1"
            var head = "GET \(path) HTTP/\(version)\r\nHost: localhost\r\n"
            if ending == .asksForClose { head += "Connection: close\r\n" }
            if ending == .otherUpgrade { head += "Connection: Upgrade\r\nUpgrade: h2c\r\n" }
            try await client.send(Array((head + "\r\n").utf8))
            if ending == .closesItsHalf { await client.endSending() }
            try await Task.sleep(for: .seconds(2))
            let count = try? await client.response().body.count
            #expect(count == size, "\(ending)")
        }
    }
}
