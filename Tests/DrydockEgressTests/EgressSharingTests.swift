// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import DrydockModel
import DrydockOS
import Glibc
import NIOCore
import NIOEmbedded
import NIOPosix
import Testing

@testable import DrydockEgress

@Suite("What sandboxes share")
struct EgressSharingTests {
    /// Takes its time, so that much happens before a connection is there.
    private struct SlowResolver: HostResolver {
        func addresses(of host: HostName) async -> [IPAddress] {
            try? await Task.sleep(for: .milliseconds(300))
            return [IPAddress("127.0.0.1")].compactMap(\.self)
        }
    }

    private func egress(_ rules: [String] = [], _ pot: ConnectionPot) throws -> Egress {
        let loopback = try #require(AddressRange("127.0.0.0/8"))
        var settings = NetworkSettings()
        settings.addresses[try HostName("good.example")] = [loopback]
        return Egress(
            Connector(
                policy: NetworkPolicy(try rules.map { try NetworkRule(parsing: $0) }),
                settings: EgressSettings(settings, tools: ToolIndexes()),
                lookups: LookupCache(SlowResolver())
            ),
            pot: pot
        )
    }

    @Test("one sandbox can not take the connections of all, and gives back what it took")
    func pot() throws {
        let pot = ConnectionPot(40)
        let (greedy, other) = (try egress([], pot), try egress([], pot))
        let channels = (0..<200).map { _ in EmbeddedChannel() }
        let taken = channels.prefix(100).count { greedy.admit(client: $0) }
        #expect(taken == Egress.ownClients + 40)
        // The other has what is its own, on both sides, and nothing else.
        #expect(channels[100..<150].count { other.admit(client: $0) } == Egress.ownClients)
        #expect(channels[150...].count { other.admit(host: $0) } == Egress.ownClients)
        for channel in channels { _ = try? channel.finish() }
        let again = (0..<100).map { _ in EmbeddedChannel() }
        #expect(again.count { other.admit(client: $0) } == Egress.ownClients + 40)
        for channel in again { _ = try? channel.finish() }
    }

    @Test(
        "a client of the proxy that has said all with its CONNECT, before it is answered, gets the host's answer"
    )
    func earlyEndOfConnect() async throws {
        let hello = TLSBytes.hello(for: "good.example")
        let (_, uses) = try await ProxyFixture.with(answer: .bytes("answer")) { fixture in
            let host = "good.example:\(fixture.host.port)"
            let connect = Array("CONNECT \(host) HTTP/1.1\r\nHost: \(host)\r\n\r\n".utf8)
            for pieces in [[connect + hello], [connect, hello]] {
                for _ in 0..<10 {
                    let client = try RawClient(port: fixture.proxyPort, patience: .seconds(5))
                    let answer = await Blocking.run {
                        for piece in pieces { client.send(piece) }
                        client.endOutput()
                        return String(decoding: client.readAll(), as: UTF8.self)
                    }
                    #expect(
                        answer.hasPrefix("HTTP/1.1 200 ") && answer.hasSuffix("\r\n\r\nanswer"),
                        "\(answer)"
                    )
                }
            }
            // One that is gone without a word of what it wants has no tunnel.
            let client = try RawClient(port: fixture.proxyPort, patience: .seconds(5))
            let answer = await Blocking.run {
                client.send(connect)
                client.endOutput()
                return client.readAll()
            }
            #expect(answer.isEmpty)
        }
        #expect(uses.count == 1 && uses[0].connections == 21, "\(uses)")
        #expect(uses.first?.sent.bytes == Int64(20 * hello.count))
    }

    @Test(
        "a client that has said all with its first message gets its answer, also one that knows of no proxy"
    )
    func earlyEnd() async throws {
        let host = try await TestHost.start(.bytes("answer"))
        let egress = try egress(["good.example:\(host.port)"], ConnectionPot(40))
        let (socket, port) = try ProxyFixture.listener(0)
        let door = try await ProxyListener.serve(
            socket,
            .tls(port: host.port),
            for: egress,
            on: MultiThreadedEventLoopGroup.singleton
        )
        // Of a socket that listens the kernel tells here how many may wait (tcpi_sacked).
        var told = [UInt32](repeating: 0, count: 8)
        var size = socklen_t(32)
        getsockopt(socket, Int32(IPPROTO_TCP), TCP_INFO, &told, &size)
        #expect(told[7] == UInt32(ProxyListener.backlog))
        let address = try #require(egress.names.address(of: try HostName("good.example")))
        for _ in 0..<20 {
            let client = try RawClient(port: port, at: address, patience: .seconds(5))
            let start = ContinuousClock.now
            let answer = await Blocking.run {
                client.send(TLSBytes.hello(for: "good.example"))
                client.endOutput()
                return client.readAll()
            }
            #expect(answer == Array("answer".utf8))
            // The host has heard of the end, and ended as well.
            #expect(ContinuousClock.now - start < .seconds(4))
        }
        try await door.close()
        await egress.close()
        await host.stop()
        #expect(egress.ledger.uses.first?.connections == 20)
    }
}
