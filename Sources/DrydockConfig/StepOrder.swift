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
                guard ids.contains(need) else { throw unknown(need, of: ids[place], ids, value.line) }
                resolved[place].needs.append(StepID(rawValue: need))
            }
        }
        if let cycle = cycle(in: resolved), let place = ids.firstIndex(of: cycle[0].rawValue) {
            let path = (cycle + [cycle[0]]).map(\.rawValue).joined(separator: " → ")
            throw reader.failure(
                cycle.count == 1
                    ? "the step '\(cycle[0])' needs itself" : "steps wait for each other: \(path)",
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

    /// Ids that need each other in a ring, each needing the next; nil when there is none.
    private func cycle(in steps: [PlannedStep]) -> [StepID]? {
        var needs = Dictionary(steps.map { ($0.id, $0.needs) }, uniquingKeysWith: { first, _ in first })
        // Steps that need nothing that is left can run; what remains in the end waits for itself.
        while let ready = steps.first(where: { needs[$0.id]?.allSatisfy { needs[$0] == nil } ?? false }) {
            needs[ready.id] = nil
        }
        guard var step = steps.first(where: { needs[$0.id] != nil })?.id else { return nil }
        var path: [StepID] = []
        while !path.contains(step) {
            path.append(step)
            guard let next = needs[step]?.first(where: { needs[$0] != nil }) else { return nil }
            step = next
        }
        return path.firstIndex(of: step).map { Array(path[$0...]) }
    }
}
