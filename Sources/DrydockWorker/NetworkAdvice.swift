// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

internal import DrydockModel

extension Failure {
    /// Names in a step's failure the hosts that it was refused, and the line that would allow them.
    ///
    /// Said without a judgement: hostile code chooses the names, and Drydock must not recommend them.
    func explained(by network: [NetworkUse]) -> Failure {
        let refused = network.filter { !$0.verdict.isAllowed && (try? HostName($0.host)) != nil }
        guard [.stepFailed, .pluginCrashed].contains(code), !refused.isEmpty else { return self }
        let most = 5
        let names = refused.prefix(most).map(\.rule)
        let rest = refused.count > most ? " and \(refused.count - most) more" : ""
        let tried = "it tried to reach \(names.joined(separator: ", "))\(rest) (refused)"
        let line =
            "if this project should, write in drydock.yaml, at the step: network: [\(names.joined(separator: ", "))]"
        var told = self
        told.hint = ([hint] + ["\(tried); \(line); the operator must allow it too"]).compactMap(\.self)
            .joined(separator: "; ")
        return told
    }
}

extension NetworkUse {
    /// The rule that would have allowed it.
    fileprivate var rule: String {
        NetworkRule.webPorts.contains(port) || port == 0 ? host : "\(host):\(port)"
    }
}
