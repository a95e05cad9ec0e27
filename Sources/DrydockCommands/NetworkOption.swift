// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

internal import DrydockEgress
internal import DrydockModel

/// What `--network` says: hosts, and tools whose indexes are meant (`preset:pip`).
struct NetworkOption {
    static let example = "such as pypi.org, or preset:pip for the index that pip says"

    let rules: [NetworkRule]

    /// Reads the rules, in their order; a problem of usage for what is none.
    init(_ texts: [String]) throws(CommandProblem) {
        var rules: [NetworkRule] = []
        for text in texts {
            do throws(FieldProblem) {
                rules.append(try NetworkRule(parsing: text))
            } catch {
                throw CommandProblem(
                    .usage,
                    "--network",
                    why: error.message,
                    remedy: error.hint ?? NetworkRule.rule
                )
            }
        }
        self.rules = rules
    }

    var presets: [PresetName] {
        rules.compactMap { if case .preset(let name) = $0.hosts { name } else { nil } }
    }

    /// The policy that allows all of it; a problem for a tool that did not say where its index is.
    func policy(_ tools: ToolIndexes) throws(CommandProblem) -> NetworkPolicy {
        for name in presets where tools.answers[name] == nil {
            let problem = tools.problems[name]
            throw CommandProblem(
                .usage,
                "--network preset:\(name)",
                why: problem?.message ?? "it has not said where its index is",
                remedy: problem?.hint
            )
        }
        var policy = NetworkPolicy()
        tools.grant(to: &policy)
        policy.add(rules)
        return policy.granting(rules).granted
    }
}
