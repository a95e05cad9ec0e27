// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import DrydockModel
import DrydockProtocol

/// A driver's answer to `plan`, read as strictly as a manifest.
enum PlanAnswer {
    /// What a driver makes of a project.
    enum Verdict {
        case steps([PlannedStep])
        /// Why it can not be built, in the driver's words.
        case refused(Failure)
    }

    private static let keys = [
        "id", "plugin", "title", "with", "argv", "cwd", "needs", "env", "inputs", "outputs", "network",
        "weight", "timeout",
    ]

    static func read(_ answer: [UInt8], planner: Plugin) throws(FieldProblem) -> Verdict {
        let bounds = JSONBounds(depth: 16, fields: 4_096, elements: 16_384)
        let plan = try BoundedJSONReader.document(answer, "the answer", bounds: bounds)
        let fields = try plan.fields(["steps", "error"])
        if let error = fields["error"] { return .refused(try refusal(error)) }
        let steps = try StepList.read(try fields.required("steps")) { fields throws(FieldProblem) in
            try fields.allow(keys)
            return try step(fields, planner: planner)
        }
        return .steps(steps)
    }

    /// `fault` is the project's (`user`), or the machine's that lacks something (`platform`).
    private static func refusal(_ field: Field) throws(FieldProblem) -> Failure {
        let fields = try field.fields(["message", "hint", "file", "line", "fault"])
        let path: RelativePath? = try fields.optional("file")
        return Failure(
            .planFailed,
            try fields.optional("fault") ?? .user,
            try fields.required("message").filled(limit: 4_096),
            hint: try fields["hint"]?.text(limit: 4_096),
            file: path?.rawValue,
            line: try fields["line"]?.integer(in: 1...1_000_000_000)
        )
    }

    private static func step(_ fields: Fields, planner: Plugin) throws(FieldProblem) -> PlannedStep {
        let id = try fields.optional("id") ?? StepID(planner.name)
        if fields.table.value.containsNUL { throw fields.table.problem("holds a NUL character") }
        var step = PlannedStep(
            id: id,
            plugin: try fields.optional("plugin") ?? planner.name,
            title: try fields["title"]?.text(limit: 4_096) ?? title(id, planner),
            with: fields["with"]?.value ?? .object([:]),
            network: try fields["network"].map { field throws(FieldProblem) in try hosts(field, planner) },
            inputs: try fields.optional("inputs") ?? [],
            outputs: try fields.optional("outputs") ?? [],
            timeout: try fields["timeout"]?.seconds(),
            env: try fields.optional("env") ?? [:],
            weight: try fields["weight"]?.number(in: 0.001...1_000_000) ?? 1
        )
        if let argv = try fields["argv"]?.texts() {
            step.plugin = .script
            step.with = .object(["run": .string(script(argv, in: try fields.optional("cwd")))])
        }
        return step
    }

    /// A planner's own step is called what its plugin is.
    private static func title(_ id: StepID, _ planner: Plugin) -> String {
        id.rawValue == planner.name.rawValue ? planner.manifest.title : id.rawValue
    }

    /// Hosts that a plan asks for: what its plugin's manifest does not name no plan of it may ask for.
    private static func hosts(_ field: Field, _ planner: Plugin) throws(FieldProblem) -> [NetworkRule] {
        let permits = NetworkPolicy(planner.manifest.permits.network)
        let rules = try NetworkRule.list(field)
        guard let stranger = permits.granting(rules).refused.first else { return rules }
        throw field.problem("has '\(stranger)', which is not in permits.network of the plugin's manifest")
    }

    /// A command as the line of shell that `script` runs.
    private static func script(_ argv: [String], in directory: RelativePath?) -> String {
        let command = argv.map(quoted).joined(separator: " ")
        return directory.map { "cd \(quoted($0.rawValue)) && \(command)" } ?? command
    }

    private static func quoted(_ text: String) -> String {
        "'" + text.replacing("'", with: "'\\''") + "'"
    }
}
