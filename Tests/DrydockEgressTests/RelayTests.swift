// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import DrydockModel
import DrydockOS
import Glibc
import Synchronization
import SystemPackage
import Testing

@testable import DrydockEgress

@Suite("Open tunnels", .timeLimit(.minutes(4)))
struct RelayTests {
    /// A tunnel of `relay` between two pairs of local sockets: our ends of it, and what it comes to.
    private final class Pair: Sendable {
        let client: RawClient
        let host: RawClient
        let over = Promise<RelayedBytes>()
        /// Seats that were given up.
        let left = Mutex(0)

        init(_ relay: Relay, first: [UInt8] = [], ticket: Relay.Ticket? = nil) throws {
            let (clientEnd, clientSocket) = try Self.sockets()
            let (hostEnd, hostSocket) = try Self.sockets()
            client = RawClient(taking: clientEnd, patience: .seconds(10))
            host = RawClient(taking: hostEnd, patience: .seconds(10))
            let opening = Relay.Opening(
                client: seated(clientSocket),
                host: seated(hostSocket),
                first: first
            ) { self.over.keep($0) }
            relay.open(opening, ticket ?? relay.ticket())
        }

        private func seated(_ number: Int32) -> SeatedSocket {
            let descriptor = OwnedDescriptor(taking: SystemPackage.FileDescriptor(rawValue: number))
            return SeatedSocket(descriptor) { self.left.withLock { $0 += 1 } }
        }

        private static func sockets() throws -> (Int32, Int32) {
            var ends: [Int32] = [-1, -1]
            let type = Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue)
            try #require(socketpair(AF_UNIX, type, 0, &ends) == 0)
            return (ends[0], ends[1])
        }
    }

    @Test("each way ends by itself, and what came before goes first")
    func halfClose() async throws {
        let relay = try Relay()
        let pair = try Pair(relay, first: Array("hello".utf8))
        await Blocking.run {
            #expect(pair.host.read() == Array("hello".utf8))
            pair.client.endOutput()
            #expect(pair.host.read().isEmpty)
            pair.host.send(Array("late answer".utf8))
            #expect(pair.client.read() == Array("late answer".utf8))
            pair.host.endOutput()
            #expect(pair.client.readAll().isEmpty)
        }
        let bytes = await pair.over.value
        #expect(bytes.sent == 5 && bytes.received == 11 && pair.left.withLock { $0 } == 2)
        pair.host.close()
        // It ends with its last owner.
        relay.end(relay.ticket())
    }

    @Test("what came first goes out before the thread has it, as far as it is taken, and the rest after it")
    func first() async throws {
        let relay = try Relay()
        let first = (0..<1_000_003).map { UInt8(truncatingIfNeeded: $0 &* 31 >> 7) }
        let pair = try Pair(relay, first: first)
        await Blocking.run {
            pair.client.send([9])
            pair.client.endOutput()
            #expect(pair.host.readAll() == first + [9])
        }
        #expect(await pair.over.value.sent == Int64(first.count + 1))
    }

    @Test("a tunnel that nothing comes through is over, and one that something does is not")
    func silence() async throws {
        let relay = try Relay(silence: .milliseconds(400))
        let silent = try Pair(relay)
        let lively = try Pair(relay)
        await Blocking.run {
            for _ in 0..<12 {
                lively.client.send([1])
                #expect(lively.host.read() == [1])
                usleep(100_000)
            }
        }
        #expect(silent.over.current != nil && lively.over.current == nil)
        #expect(await Blocking.run { silent.client.readAll() + silent.host.readAll() }.isEmpty)
        _ = await lively.over.value
    }

    @Test("a reader that stops holds up its own tunnel alone, and loses nothing")
    func slowReader() async throws {
        let relay = try Relay()
        let (slow, other) = (try Pair(relay), try Pair(relay))
        let block = (0..<(4 << 20)).map { UInt8(truncatingIfNeeded: $0 &* 31 >> 7) }
        async let sent: Void = Blocking.run {
            slow.host.send(block)
            slow.host.endOutput()
        }
        await Blocking.run {
            usleep(200_000)
            other.client.send([7])
            #expect(other.host.read() == [7])
            slow.client.endOutput()
            #expect(slow.client.readAll() == block)
        }
        await sent
        #expect(await slow.over.value.received == Int64(block.count))
    }

    @Test("a thousand that stop reading take little memory, and end at once when they are told to")
    func manySlowReaders() async throws {
        let relay = try Relay()
        let before = Self.memory()
        var pairs: [(Pair, Relay.Ticket)] = []
        for _ in 0..<1_000 {
            let ticket = relay.ticket()
            let pair = try Pair(relay, ticket: ticket)
            // More than both sockets hold.
            pair.host.sendWithoutWaiting([UInt8](repeating: 1, count: 1 << 19))
            pairs.append((pair, ticket))
        }
        try await Task.sleep(for: .milliseconds(500))
        for (pair, _) in pairs { pair.host.sendWithoutWaiting([UInt8](repeating: 1, count: 1 << 19)) }
        try await Task.sleep(for: .milliseconds(500))
        #expect(Self.memory() - before < 48 << 20, "\(Self.memory() - before)")
        for (_, ticket) in pairs { relay.end(ticket) }
        for (pair, _) in pairs {
            _ = await pair.over.value
            pair.client.close()
            pair.host.close()
        }
    }

    @Test("one that resets its connection ends the other's")
    func reset() async throws {
        let (rest, uses) = try await ProxyFixture.with(answer: .echo) { fixture in
            let host = "good.example:\(fixture.host.port)"
            let open = Array("CONNECT \(host) HTTP/1.1\r\nHost: \(host)\r\n\r\n".utf8)
            for number in 0..<50 {
                let client = try RawClient(port: fixture.proxyPort, patience: .seconds(10))
                await Blocking.run {
                    client.send(open)
                    _ = client.read()
                    client.send(TLSBytes.hello(for: "good.example"))
                    if number % 2 == 0 { _ = client.read() }
                    client.sendWithoutWaiting([UInt8](repeating: 3, count: 300_000))
                    client.reset()
                }
            }
            return try await fixture.ask(
                "GET http://\(host)/ HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n"
            )
        }
        #expect(rest.hasPrefix("HTTP/1.1 4"))
        #expect(uses.filter(\.verdict.isAllowed).reduce(0) { $0 + $1.connections } == 50)
    }

    @Test("ten thousand connections, up to five hundred at once, leave no descriptor and no memory behind")
    func manyConnections() async throws {
        let (_, uses) = try await ProxyFixture.with(answer: .bytes("answer")) { fixture in
            // What grows at first stays: threads, tables, and what the allocator keeps.
            try await Self.connect(2_000, fixture)
            let (descriptors, memory) = (try Self.descriptors(), Self.memory())
            try await Self.connect(8_000, fixture)
            #expect(Self.memory() - memory < 8 << 20, "\(Self.memory() - memory)")
            var left = try Self.descriptors() - descriptors
            for _ in 0..<50 where left > 0 {
                try await Task.sleep(for: .milliseconds(100))
                left = try Self.descriptors() - descriptors
            }
            #expect(left <= 0, "\(left)")
        }
        #expect(uses.count == 1 && uses[0].connections == 10_000 && uses[0].received == ByteCount(10_000 * 6))
    }

    /// Opens so many tunnels, five hundred at a time, and expects an answer through each.
    private static func connect(_ count: Int, _ fixture: ProxyFixture) async throws {
        let host = "good.example:\(fixture.host.port)"
        let open = Array("CONNECT \(host) HTTP/1.1\r\nHost: \(host)\r\n\r\n".utf8)
        let hello = TLSBytes.hello(for: "good.example")
        for _ in 0..<(count / 500) {
            let right = try await Blocking.run { () throws -> Int in
                let clients = try (0..<500).map { _ in
                    try RawClient(port: fixture.proxyPort, patience: .seconds(20))
                }
                for client in clients { client.send(open) }
                for client in clients where !client.read().isEmpty { client.send(hello) }
                return clients.count { client in
                    let answer = client.read()
                    client.endOutput()
                    return answer == Array("answer".utf8) && client.readAll().isEmpty
                }
            }
            #expect(right == 500)
        }
    }

    /// Bytes of this process in memory.
    private static func memory() -> Int {
        guard let file = fopen("/proc/self/statm", "r") else { return 0 }
        defer { fclose(file) }
        var line = [CChar](repeating: 0, count: 128)
        guard fgets(&line, 128, file) != nil else { return 0 }
        let words = String(decoding: line.map(UInt8.init(bitPattern:)), as: UTF8.self).split(separator: " ")
        return (Int(words[1]) ?? 0) * 4_096
    }

    private static func descriptors() throws -> Int {
        let directory = try #require(opendir("/proc/self/fd"))
        defer { closedir(directory) }
        var count = 0
        while readdir(directory) != nil { count += 1 }
        return count
    }
}
