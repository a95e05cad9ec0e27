// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import DrydockModel
import Testing

@testable import DrydockPlugins

@Suite("What a driver's commands used in all")
struct UsageTests {
    private func use(_ host: String, _ bytes: Int64, isAllowed: Bool = true) -> NetworkUse {
        let verdict: NetworkUse.Verdict = isAllowed ? .allowed(rule: host) : .denied(reason: "no")
        return NetworkUse(host: host, port: 443, verdict: verdict, received: ByteCount(bytes))
    }

    @Test("hosts of several commands stand in one list, each host once, and there is an end to it")
    func network() {
        let own = Usage(wall: .seconds(3))
        let first = Usage(wall: .seconds(1), network: [use("a.test", 5), use("b.test", 0, isAllowed: false)])
        let second = Usage(wall: .seconds(1), network: [use("a.test", 7)])
        let all = own.including(first).including(second).network
        #expect(all.map(\.host) == ["b.test", "a.test"])
        #expect(all[1].received == ByteCount(12) && all[1].connections == 2)
        let flood = (0..<20).map { round in
            Usage(wall: .zero, network: (0..<256).map { use("\(round)-\($0).test", 0, isAllowed: false) })
        }
        let many = flood.reduce(second) { $0.including($1) }.network
        #expect(many.count <= NetworkLedger.mostLines + 2 && many.last?.host == "a.test")
        #expect(many.reduce(0) { $0 + $1.connections } == 20 * 256 + 1)
    }
}
