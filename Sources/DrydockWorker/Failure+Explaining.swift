// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

internal import DrydockModel

extension Failure {
    /// Names in a step's failure the hosts that it was refused, and the line that would allow those that were not granted.
    ///
    /// Said without a judgement: hostile code chooses the names, and Drydock must not recommend them.
    func explained(by network: [NetworkUse], granted: Policy) -> Failure {
        guard [.stepFailed, .pluginCrashed].contains(code) else { return self }
        let isCutOff = network.isCutOff(at: granted.limits.network)
        let refused = network.filter { !$0.isCutOff(at: granted.limits.network) }.compactMap(RefusedHost.init)
        let missing = refused.filter { granted.network.rule(for: $0.host, port: $0.port) == nil }
        let sentences = [
            hint, isCutOff ? Self.advice(on: granted.limits.network) : nil, Self.advice(missing),
            Self.reasons(refused.filter { !missing.contains($0) }),
        ]
        var told = self
        told.hint = sentences.compactMap(\.self).joined(separator: "; ")
        if told.hint?.isEmpty == true { told.hint = nil }
        return told
    }

    /// The failure with its step, and with what was refused as data.
    func naming(_ step: StepID, _ network: [NetworkUse], granted: Policy) -> Failure {
        var told = self
        var details = told.details ?? FailureDetails()
        details.step = step
        details.blocked += network.compactMap(RefusedHost.init).prefix(5).map { refused in
            let isGranted = granted.network.rule(for: refused.host, port: refused.port) != nil
            return BlockedAccess(
                what: "\(refused.host):\(refused.port)",
                why: refused.reason,
                allow: isGranted ? nil : "network: [\(refused.rule)]"
            )
        }
        told.details = details
        return told
    }

    /// The failure of a project in a directory of the source: files are named from the source's top.
    func placed(in directory: RelativePath) -> Failure {
        guard directory != .top else { return self }
        let place = { (file: String) in "\(directory)/\(file)" }
        var told = self
        told.file = file.map(place)
        if let file = details?.source?.file { told.details?.source?.file = place(file) }
        if let file = details?.cause?.file { told.details?.cause?.file = place(file) }
        return told
    }

    private static func advice(on limit: ByteCount) -> String {
        "it moved the \(limit) that it may over the network, and was cut off; fetch less, or raise limits.network"
    }

    private static func advice(_ refused: [RefusedHost]) -> String? {
        let rules = refused.map(\.rule)
        guard let first = rules.first else { return nil }
        let most = 5
        let names = rules.prefix(most).dropFirst().reduce(first) { "\($0), \($1)" }
        let rest = rules.count > most ? " and \(rules.count - most) more" : ""
        return
            "it tried to reach \(names)\(rest) (refused); if this project should, write in drydock.yaml, at the step: "
            + "network: [\(names)]; the operator must allow it too"
    }

    /// What was granted and not reached all the same.
    private static func reasons(_ refused: [RefusedHost]) -> String? {
        guard !refused.isEmpty else { return nil }
        return refused.prefix(5).map { "\($0.rule) \($0.reason)" }.joined(separator: "; ")
    }
}

/// A host that was refused, by a name that could be granted.
private struct RefusedHost: Hashable {
    let host: HostName
    let port: UInt16
    let reason: String

    init?(_ use: NetworkUse) {
        guard case .denied(let reason) = use.verdict, let host = try? HostName(use.host) else { return nil }
        self.host = host
        // A name that was only asked for has no port yet.
        port = use.port == 0 ? 443 : use.port
        self.reason = reason
    }

    /// The rule that would have allowed it.
    var rule: String { NetworkRule.webPorts.contains(port) ? host.text : "\(host):\(port)" }
}
