// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import DrydockModel

/// Checks what steps say about each other.
struct StepOrder {
    let reader: SettingReader

    /// Fills in `needs`, given as written; throws for ids that are not there, and for steps that wait for each other.
    func resolve(_ steps: [PlannedStep], _ needs: [[YAMLValue]]) throws(Failure) -> [PlannedStep] {
        var resolved = steps
        let ids = steps.map(\.id.rawValue)
        for (place, list) in needs.enumerated() {
            for value in list {
                let need = try reader.text(value, "needs")
                guard let index = ids.firstIndex(of: need) else {
                    throw unknown(need, of: ids[place], ids, value.line)
                }
                resolved[place].needs.append(steps[index].id)
            }
        }
        if let cycle = resolved.cycle, let place = ids.firstIndex(of: cycle[0].rawValue) {
            throw reader.failure(
                cycle.count == 1
                    ? "the step '\(cycle[0])' needs itself" : "steps wait for each other: \(cycle.ring)",
                needs[place].first?.line,
                hint: "take one of them out of 'needs'"
            )
        }
        return resolved
    }

    private func unknown(_ need: String, of step: String, _ ids: [String], _ line: Int?) -> Failure {
        let others = ids.filter { $0 != step }
        let hint =
            Spelling.nearest(need, in: others).map { "did you mean '\($0)'?" }
            ?? "the other steps are \(others.isEmpty ? "none" : others.joined(separator: ", "))"
        return reader.failure(
            "the step '\(step)' needs '\(need.prefix(64))', which is no step",
            line,
            hint: hint
        )
    }
}
