// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

internal import DrydockModel

/// What `--network` says.
enum NetworkOption {
    /// The rules, in their order; a problem of usage for what is none.
    static func rules(_ texts: [String]) throws(CommandProblem) -> [NetworkRule] {
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
        return rules
    }
}
