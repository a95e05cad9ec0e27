// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import DrydockModel
import Testing

@testable import DrydockWorker

@Suite("What a failure says of refused hosts")
struct NetworkAdviceTests {
    private let failed = Failure(
        .stepFailed,
        .user,
        "`curl` ended with exit status 56",
        hint: "look at its log"
    )

    private func refused(_ host: String, _ port: UInt16, _ reason: String = "is not granted") -> NetworkUse {
        NetworkUse(host: host, port: port, verdict: .denied(reason: reason))
    }

    @Test("a host that no rule grants is named, with the line that would, and no recommendation")
    func advice() {
        let told = failed.explained(
            by: [refused("a.test", 443), refused("b.test", 8443), refused("c.test", 0)],
            granted: Policy()
        )
        #expect(told.message == failed.message && told.code == .stepFailed)
        let hint = told.hint ?? ""
        #expect(
            hint.hasPrefix("look at its log; it tried to reach a.test, b.test:8443, c.test (refused)"),
            "\(hint)"
        )
        #expect(
            hint.contains("if this project should, write in drydock.yaml")
                && hint.contains("network: [a.test, b.test:8443, c.test]")
        )
    }

    @Test("a host that is granted and leads nowhere is told with its reason, not with a rule that it has")
    func reason() throws {
        let granted = NetworkPolicy([try NetworkRule(parsing: "a.test")])
        let told = failed.explained(
            by: [refused("a.test", 443, "leads to a private address")],
            granted: Policy(network: granted)
        )
        #expect(told.hint == "look at its log; a.test leads to a private address")
    }

    @Test("what is no name, and what was reached, is not advised, and other failures stay as they are")
    func others() {
        let reached = NetworkUse(host: "a.test", port: 443, verdict: .allowed(rule: "a.test"))
        let uses = [reached, refused("10.0.0.1", 80), refused("(others)", 0), refused("x y", 80)]
        #expect(failed.explained(by: uses, granted: Policy()) == failed)
        let cancelled = Failure(.cancelled, .user, "cancelled")
        #expect(cancelled.explained(by: [refused("a.test", 443)], granted: Policy()) == cancelled)
        let plain = Failure(.stepFailed, .user, "no")
        #expect(plain.explained(by: [], granted: Policy()).hint == nil)
    }

    @Test("the limit that cut it off is named once, with what raises it, and is no advice to allow a host")
    func limit() throws {
        var policy = Policy(network: NetworkPolicy([try NetworkRule(parsing: "a.test")]))
        policy.limits.network = .mebibytes(3)
        let reason = NetworkUse.reason(ofLimit: .mebibytes(3))
        let told = failed.explained(
            by: [refused("a.test", 443, reason), refused("b.test", 443, reason)],
            granted: policy
        )
        #expect(
            told.hint == "look at its log; it moved the 3MiB that it may over the network, and was cut off; "
                + "fetch less, or raise limits.network"
        )
    }

    @Test("many refused hosts are counted, not listed")
    func many() {
        let told = failed.explained(by: (0..<200).map { refused("h\($0).test", 443) }, granted: Policy())
        #expect(told.hint?.contains("and 195 more (refused)") == true && (told.hint?.utf8.count ?? 0) < 400)
    }
}
