// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import DrydockModel
import NIOCore
import NIOEmbedded
import NIOHTTP1
import Testing

@testable import DrydockEgress

@Suite("A request that is passed on")
struct PassedRequestTests {
    @Test("nothing of its body goes out before its head")
    func order() throws {
        let target = ProxyTarget(host: try HostName("good.example"), port: 80)
        let head = HTTPRequestHead(version: .http1_1, method: .POST, uri: "/")
        let settings = EgressSettings(NetworkSettings(), tools: ToolIndexes(), secrets: [])
        let connector = Connector(
            policy: NetworkPolicy(),
            settings: settings,
            lookups: LookupCache(ScriptedResolver([:]))
        )
        let rule = try NetworkRule(parsing: "good.example")
        let request = PassedRequest(
            ProxyRequest(target: target, rule: rule, asked: head, passed: head, isSecure: false),
            Egress(connector)
        )
        let channel = EmbeddedChannel()
        defer { _ = try? channel.finish() }
        // As it is while the connection is being made.
        try channel.pipeline.syncOperations.addHandler(request)
        #expect(!request.takesMore)
        request.send(ByteBuffer(string: "GET /smuggled HTTP/1.1\r\n\r\n"))
        request.endBody()
        #expect(try channel.readOutbound(as: HTTPClientRequestPart.self) == nil)
    }
}
