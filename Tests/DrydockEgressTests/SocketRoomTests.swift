// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import DrydockModel
import DrydockOS
import Glibc
import Testing

@testable import DrydockEgress

@Suite("Room for what clients are sent", .timeLimit(.minutes(1)))
struct SocketRoomTests {
    /// What a sandbox's sockets have.
    private static let small: Int32 = 64 << 10
    private static let bytes = [UInt8](repeating: 7, count: 700_000)

    /// A tunnel whose client has said all and reads nothing, while its host has sent more than fits into a usual socket.
    private final class Stuck {
        let client: TestSocket
        let host: TestSocket
        let over = Promise<RelayedBytes>()
        let ticket: Relay.Ticket

        init(_ relay: Relay) async throws {
            let (client, clientEnd) = try TestSocket.pair(room: SocketRoomTests.small)
            let (host, hostEnd) = try TestSocket.pair()
            (self.client, self.host, ticket) = (client, host, relay.ticket())
            clientEnd.makeRoom()
            let opening = Relay.Opening(client: clientEnd, host: hostEnd, first: [], hasRoom: true) {
                [over] in over.keep($0)
            }
            relay.open(opening, ticket)
            client.endOutput()
            var sent = 0
            while sent < SocketRoomTests.bytes.count {
                sent += host.send(SocketRoomTests.bytes[sent...])
                try await Task.sleep(for: .milliseconds(1))
            }
            host.endOutput()
        }

        /// What the client gets in so much time.
        func read(_ time: Duration = .milliseconds(500)) async throws -> [UInt8] {
            var all: [UInt8] = []
            let end = ContinuousClock.now + time
            while ContinuousClock.now < end {
                let more = client.read()
                all += more
                if more.isEmpty { try await Task.sleep(for: .milliseconds(1)) }
            }
            return all
        }
    }

    @Test("a few tunnels of a sandbox have it at a time, and others what all sockets have")
    func few() async throws {
        let connector = Connector(
            policy: NetworkPolicy([]),
            settings: EgressSettings(NetworkSettings(), tools: ToolIndexes()),
            lookups: LookupCache(SystemResolver())
        )
        let (egress, other) = (Egress(connector), Egress(connector))
        var ends: [(TestSocket, TestSocket)] = []
        func open(_ egress: Egress) throws -> (room: Int, over: Promise<RelayedBytes>) {
            let (client, clientEnd) = try TestSocket.pair(room: Self.small)
            let (host, hostEnd) = try TestSocket.pair()
            let over = Promise<RelayedBytes>()
            try egress.carry(Relay.Opening(client: clientEnd, host: hostEnd, first: []) { over.keep($0) })
            ends.append((client, host))
            return (clientEnd.room, over)
        }
        let opened = try (0..<12).map { _ in try open(egress) }
        let usual = Int(Self.small) * 2
        #expect(opened[..<8].allSatisfy { $0.room > usual && $0.room <= SocketRoom.size })
        #expect(opened[8...].allSatisfy { $0.room == usual })
        #expect(try open(other).room > usual)
        // One that ends leaves its room to the next.
        ends[3].0.reset()
        _ = await opened[3].over.value
        // The relay gives it back right after it has told us.
        try await Task.sleep(for: .milliseconds(100))
        let (next, last) = (try open(egress).room, try open(egress).room)
        #expect(next > usual && last == usual)
        await egress.close()
        await other.close()
    }

    @Test("it is given back only when the client has taken what is in it, and nothing is lost")
    func slow() async throws {
        let relay = try Relay(silence: .seconds(4))
        let stuck = try await Stuck(relay)
        try await Task.sleep(for: .milliseconds(600))
        #expect(stuck.over.current == nil)
        #expect(try await stuck.read(.seconds(1)) == Self.bytes)
        #expect(await stuck.over.value.received == Int64(Self.bytes.count))
    }

    @Test(
        "who never takes it is reset when it has been silent too long, or the sandbox ends",
        arguments: [false, true]
    )
    func never(sandboxEnds: Bool) async throws {
        let relay = try Relay(silence: sandboxEnds ? .seconds(60) : .milliseconds(800))
        let stuck = try await Stuck(relay)
        try await Task.sleep(for: .milliseconds(200))
        #expect(stuck.over.current == nil)
        if sandboxEnds { relay.end(stuck.ticket) }
        _ = await stuck.over.value
        // What the client's own side has taken in, and nothing that the kernel would keep for it.
        let count = try await stuck.read().count
        #expect(count < 400_000, "\(count)")
    }
}

extension SeatedSocket {
    /// What it may hold to be sent.
    fileprivate var room: Int {
        var size: Int32 = 0
        var length = socklen_t(MemoryLayout<Int32>.size)
        _ = descriptor.withDescriptor { getsockopt($0.rawValue, SOL_SOCKET, SO_SNDBUF, &size, &length) }
        return Int(size)
    }
}
