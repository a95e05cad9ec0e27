// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

/// What a command had to do with one host, or wanted to.
package struct NetworkUse: Codable, Hashable, Sendable {
    package enum Verdict: Codable, Hashable, Sendable {
        /// By this rule of the plan.
        case allowed(rule: String)
        /// Why not, to follow the host's name.
        case denied(reason: String)

        package var isAllowed: Bool {
            if case .allowed = self { return true }
            return false
        }
    }

    /// Why a connection was not let through, or cut off, that would have taken its sandbox beyond `limit`.
    package static func reason(ofLimit limit: ByteCount) -> String {
        "is cut off: \(limit) is all that may go over the network (limits.network)"
    }

    /// As it was asked for, printable; what is no name stands here too.
    package var host: String
    /// 0 where none was named.
    package var port: UInt16
    package var verdict: Verdict
    package var connections: Int
    /// Bytes to the host.
    package var sent: ByteCount
    /// Bytes from the host.
    package var received: ByteCount
    /// How long its connections lasted, added up.
    package var duration: Duration

    package init(
        host: String,
        port: UInt16,
        verdict: Verdict,
        connections: Int = 1,
        sent: ByteCount = ByteCount(0),
        received: ByteCount = ByteCount(0),
        duration: Duration = .zero
    ) {
        self.host = host
        self.port = port
        self.verdict = verdict
        self.connections = connections
        self.sent = sent
        self.received = received
        self.duration = duration
    }

    /// Both together; of the same host, port and verdict.
    package func adding(_ other: NetworkUse) -> NetworkUse {
        var sum = self
        sum.connections += other.connections
        sum.sent = ByteCount(sent.bytes + other.sent.bytes)
        sum.received = ByteCount(received.bytes + other.received.bytes)
        sum.duration += other.duration
        return sum
    }
}

extension NetworkUse {
    /// Whether this tells of the end that `limit` put to it.
    package func isCutOff(at limit: ByteCount) -> Bool {
        verdict == .denied(reason: Self.reason(ofLimit: limit))
    }
}

extension [NetworkUse] {
    /// Whether `limit` put an end to one of them.
    package func isCutOff(at limit: ByteCount) -> Bool { contains { $0.isCutOff(at: limit) } }
}
