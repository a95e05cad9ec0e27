// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import DrydockModel
import DrydockProtocol

/// A driver's answer to `plan`, read as strictly as a manifest.
enum PlanAnswer {
    private static let stepLimit = 200
    private static let keys: Set<String> = [
        "id", "plugin", "title", "with", "argv", "cwd", "needs", "env", "inputs", "outputs", "network",
        "weight",
        "timeout",
    ]

    static func steps(_ answer: [UInt8], planner: Plugin) throws(ManifestProblem) -> [PlannedStep] {
        let json: JSON
        do {
            json = try BoundedJSONReader.read(
                answer,
                bounds: JSONBounds(depth: 16, fields: 4_096, elements: 16_384)
            )
        } catch {
            throw ManifestProblem("\(error.reason) (byte \(error.offset))")
        }
        let fields = try ManifestFields(json, at: "the plan")
        try fields.allow(only: ["steps"])
        var steps: [PlannedStep] = []
        for object in try fields.objects("steps") { steps.append(try step(object, planner: planner)) }
        guard !steps.isEmpty, steps.count <= stepLimit else {
            throw ManifestProblem("it has \(steps.count) steps; there may be 1 to \(stepLimit)")
        }
        let ids = Set(steps.map(\.id))
        guard ids.count == steps.count else { throw ManifestProblem("a step id stands twice") }
        if let missing = steps.flatMap(\.needs).first(where: { !ids.contains($0) }) {
            throw ManifestProblem("a step needs \"\(missing)\", which is not there")
        }
        if let cycle = steps.cycle { throw ManifestProblem("steps wait for each other: \(cycle.ring)") }
        return steps
    }

    private static func step(_ fields: ManifestFields, planner: Plugin) throws(ManifestProblem) -> PlannedStep
    {
        try fields.allow(only: keys)
        let id: StepID = try fields.name(try fields.required("id"), "id")
        guard fields.values.values.allSatisfy({ !$0.containsNUL }) else {
            throw ManifestProblem("the step \"\(id)\" holds a NUL character")
        }
        guard try fields.texts("network")?.isEmpty != false else {
            throw ManifestProblem("the step \"\(id)\" asks for network, which is not supported yet")
        }
        var step = PlannedStep(
            id: id,
            plugin: try fields.text("plugin").map { text throws(ManifestProblem) in
                try fields.name(text, "plugin")
            } ?? planner.name,
            title: try fields.text("title") ?? id.rawValue,
            with: fields.values["with"] ?? .object([:]),
            needs: try fields.texts("needs")?.map { text throws(ManifestProblem) in
                try fields.name(text, "needs")
            } ?? [],
            inputs: try fields.relativePaths("inputs") ?? [],
            outputs: try fields.relativePaths("outputs") ?? [],
            timeout: try fields.seconds("timeout"),
            weight: try fields.number("weight", in: 0.001...1_000_000) ?? 1
        )
        for (name, value) in try fields.object("env", allowing: nil)?.values ?? [:] {
            guard let text = value.string else {
                throw ManifestProblem("\"\(name)\" of \"env\" is not a text")
            }
            step.env[name] = text
        }
        if let argv = try fields.texts("argv") {
            let directory = fields.values["cwd"] == nil ? nil : try fields.relativePath("cwd")
            step.plugin = .script
            step.with = .object(["run": .string(script(argv, in: directory))])
        }
        return step
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
