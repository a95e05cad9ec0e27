// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

/// What may be reached from a sandbox: nothing beyond these rules.
package struct NetworkPolicy: Codable, Hashable, Sendable {
    /// The most rules of one list.
    package static let mostRules = 256

    /// In the order in which they were written; empty = there is no network.
    package var rules: [NetworkRule]
    /// What a wish for a tool's index means here; the rules hold these hosts, too.
    package private(set) var presets: [PresetName: [NetworkRule]] = [:]

    /// The presets are the operator's own: what is written down or leaves this process has the hosts.
    private enum CodingKeys: CodingKey { case rules }

    package init(_ rules: [NetworkRule] = []) { self.rules = rules }

    /// The rules of several lists, each once.
    package init(joining lists: [[NetworkRule]]) {
        rules = []
        for rule in lists.joined() where !rules.contains(rule) { rules.append(rule) }
    }

    /// Allows further hosts.
    package mutating func add(_ hosts: [NetworkRule]) {
        for rule in hosts where !rule.hosts.isPreset && !rules.contains(rule) { rules.append(rule) }
    }

    /// Allows what a tool needs of its index, by its hosts' names and by the tool's.
    package mutating func add(_ preset: PresetName, _ hosts: [NetworkRule]) {
        presets[preset] = hosts
        add(hosts)
    }

    /// No network at all.
    package static let none = NetworkPolicy()

    package var isNone: Bool { rules.isEmpty }

    /// The first rule by which `host` may be reached on `port`.
    package func rule(for host: HostName, port: UInt16) -> NetworkRule? {
        rules.first { $0.allows(host, port: port) }
    }

    /// Whether `host` may be reached on any port.
    package func names(_ host: HostName) -> Bool { rules.contains { $0.covers(host) } }

    /// The ports beside those of the web that rules name, each once, in the order of the rules.
    package var furtherPorts: [UInt16] {
        var ports: [UInt16] = []
        for case let port? in rules.map(\.port)
        where !NetworkRule.webPorts.contains(port) && !ports.contains(port) {
            ports.append(port)
        }
        return ports
    }

    /// What is left of `asked` under this policy, and which of it was left out or made smaller.
    package func granting(_ asked: [NetworkRule]) -> (granted: NetworkPolicy, refused: [NetworkRule]) {
        var granted: [NetworkRule] = []
        var refused: [NetworkRule] = []
        for wish in asked {
            if case .preset(let name) = wish.hosts, let hosts = presets[name] {
                for host in hosts where !granted.contains(host) { granted.append(host) }
                continue
            }
            let parts = rules.compactMap { wish.narrowed(to: $0) }
            for part in parts where !granted.contains(part) { granted.append(part) }
            if !parts.contains(wish) { refused.append(wish) }
        }
        return (NetworkPolicy(granted), refused)
    }
}
