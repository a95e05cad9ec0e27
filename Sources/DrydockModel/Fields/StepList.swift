// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

/// The steps of a plan that somebody wrote, a person or a driver: each by itself, then what they say about each other.
package enum StepList {
    /// Steps of one build.
    private static let most = 200

    /// Reads the list; `read` makes a step of an element's fields, all but its `needs`.
    ///
    /// Throws for no steps or too many, ids that stand twice or are not there, and steps that wait for each other.
    package static func read(
        _ field: Field,
        _ read: (Fields) throws(FieldProblem) -> PlannedStep
    ) throws(FieldProblem) -> [PlannedStep] {
        let elements = try field.list()
        guard (1...most).contains(elements.count) else {
            throw field.problem("has \(elements.count) steps; there may be 1 to \(most)")
        }
        var steps: [PlannedStep] = []
        var needs: [[Field]] = []
        for element in elements {
            let fields = try element.fields()
            let step = try read(fields)
            if steps.contains(where: { $0.id == step.id }) {
                throw FieldProblem(
                    "two steps have the id '\(step.id)'",
                    hint: "give one of them an 'id' of its own",
                    line: element.line
                )
            }
            steps.append(step)
            needs.append(try fields["needs"]?.list() ?? [])
        }
        return try inOrder(steps, needs)
    }

    private static func inOrder(
        _ steps: [PlannedStep],
        _ needs: [[Field]]
    ) throws(FieldProblem) -> [PlannedStep] {
        var steps = steps
        for index in steps.indices {
            for field in needs[index] {
                let need = try field.filled()
                guard let other = steps.first(where: { $0.id.rawValue == need }) else {
                    throw unknown(need, of: steps[index].id, steps, field.line)
                }
                steps[index].needs.append(other.id)
            }
        }
        if let cycle = steps.cycle, let index = steps.firstIndex(where: { $0.id == cycle[0] }) {
            throw FieldProblem(
                cycle.count == 1
                    ? "the step '\(cycle[0])' needs itself" : "steps wait for each other: \(cycle.ring)",
                hint: "take one of them out of 'needs'",
                line: needs[index].first?.line
            )
        }
        return steps
    }

    private static func unknown(
        _ need: String,
        of step: StepID,
        _ steps: [PlannedStep],
        _ line: Int?
    ) -> FieldProblem {
        let others = steps.map(\.id.rawValue).filter { $0 != step.rawValue }
        let hint =
            Spelling.hint(need, among: others)
            ?? "the other steps are \(others.isEmpty ? "none" : others.joined(separator: ", "))"
        return FieldProblem(
            "the step '\(step)' needs '\(need.prefix(64))', which is no step",
            hint: hint,
            line: line
        )
    }
}
