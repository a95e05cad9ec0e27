// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import DrydockModel

/// Reads `drydock.yaml`; its keys stand in docs/drydock-yaml.md.
struct ProjectFileParser {
    func parse(_ bytes: [UInt8]) throws(Failure) -> ProjectFile {
        do throws(FieldProblem) {
            if let document = try YAMLDocument.parse(bytes, file: ProjectFile.name) {
                return try file(document)
            }
            throw FieldProblem("\(ProjectFile.name) is empty", hint: "write 'version: 1', or remove it")
        } catch {
            throw Failure(error, file: ProjectFile.name)
        }
    }

    private func file(_ document: Field) throws(FieldProblem) -> ProjectFile {
        let fields = try document.fields([
            "version", "rootfs", "params", "env", "steps", "artifacts", "preview", "limits",
        ])
        let version = try fields.required("version", hint: "begin with 'version: 1'")
        if version.value != .number(1) { throw version.problem("must be 1, the only one there is") }
        let steps = try fields["steps"].map(steps) ?? []
        var file = ProjectFile(
            steps: steps,
            artifacts: try fields.optional("artifacts") ?? [],
            preview: try fields["preview"].map(preview),
            limits: try fields["limits"].map(limits) ?? RequestedLimits()
        )
        file.env = try fields["env"].map(environment) ?? [:]
        file.root = try fields["rootfs"].map(root)
        file.rootLine = fields["rootfs"]?.line
        file.parameters = try fields["params"].map(ParameterRule.list) ?? []
        for (step, places) in zip(steps, fields["steps"]?.places?.elements ?? []) {
            file.lines[step.id] = StepLines(places)
        }
        return file
    }

    /// A name that the operator gave: what a path leads to is not for a project to choose.
    private func root(_ field: Field) throws(FieldProblem) -> RootName {
        let text = try field.filled()
        let hint = "the operator imports one with `drydock rootfs import NAME PATH`; write that NAME"
        if text.contains("/") || text.hasPrefix(".") {
            throw field.problem("is a path, and only names of root file systems may stand here", hint: hint)
        }
        guard let name = RootName(rawValue: text) else {
            throw field.problem("is no name of a root file system (\(RootName.rule))", hint: hint)
        }
        return name
    }

    // MARK: Steps

    private func steps(_ field: Field) throws(FieldProblem) -> [PlannedStep] {
        let keys = [
            "id", "plugin", "with", "needs", "network", "profile", "inputs", "outputs", "timeout", "env",
        ]
        return try StepList.read(field) { fields throws(FieldProblem) in
            try fields.allow(keys)
            return try step(fields)
        }
    }

    private func step(_ fields: Fields) throws(FieldProblem) -> PlannedStep {
        let plugin = try PluginName(try fields.required("plugin", hint: "add 'plugin: script' or another"))
        let id: StepID = try fields.optional("id") ?? StepID(plugin)
        var step = PlannedStep(id: id, plugin: plugin, title: id.rawValue)
        if let with = fields["with"] { step.with = .object(try with.fields().values) }
        step.network = try fields["network"].map(NetworkRule.list)
        step.profile = try fields.optional("profile")
        step.inputs = try fields.optional("inputs") ?? []
        step.outputs = try fields.optional("outputs") ?? []
        step.timeout = try fields["timeout"]?.duration()
        step.env = try fields["env"].map(environment) ?? [:]
        return step
    }

    /// Variables that a project chooses: none of those that are for Drydock to choose, or that no program should get.
    private func environment(_ field: Field) throws(FieldProblem) -> [String: String] {
        let fields = try field.fields().all
        if fields.count > VariableRule.most {
            throw field.problem("has \(fields.count) variables; there may be \(VariableRule.most)")
        }
        var variables: [String: String] = [:]
        for (name, field) in fields {
            guard VariableRule.isName(name) else {
                throw field.problem(
                    "can not be the name of a variable",
                    hint: "use letters, digits and _, no digit first, at most \(VariableRule.longestName)"
                )
            }
            if VariableRule.isOwn(name) {
                throw field.problem("is for Drydock to set", hint: "a command may change it for itself")
            }
            if VariableRule.steersLoader(name) {
                throw field.problem(
                    "would change how every program of the step is loaded",
                    hint: "set it in the command that needs it: '\(name)=… command'"
                )
            }
            variables[name] = try field.text(limit: VariableRule.longestValue)
        }
        return variables
    }

    // MARK: Results and limits

    private func preview(_ field: Field) throws(FieldProblem) -> PreviewRule {
        let fields = try field.fields(["root", "spa", "start"])
        if let start = fields["start"] {
            _ = try start.texts()
            throw start.unsupported(instead: "'root: site' serves files")
        }
        let root = try fields.required("root", hint: "'root: site' serves files")
        return PreviewRule(root: try RelativePath(root), spa: try fields.optional("spa") ?? false)
    }

    private func limits(_ field: Field) throws(FieldProblem) -> RequestedLimits {
        let fields = try field.fields([
            "memory", "processes", "cpus", "disk", "total", "silence", "log", "network",
        ])
        var limits = RequestedLimits()
        limits.memory = try fields["memory"]?.size(in: LimitBounds.memory)
        limits.processes = try fields["processes"]?.integer(in: LimitBounds.processes)
        limits.cpus = try fields["cpus"]?.number(in: LimitBounds.cpus)
        limits.disk = try fields["disk"]?.size(in: LimitBounds.disk)
        limits.total = try fields["total"]?.duration()
        limits.silence = try fields["silence"]?.duration()
        limits.log = try fields["log"]?.size()
        limits.network = try fields["network"]?.size(in: LimitBounds.network)
        return limits
    }
}

extension StepLines {
    fileprivate init(_ step: Places) {
        let with = step.fields["with"]?.places
        self.init(plugin: step.fields["plugin"]?.places.line ?? step.line, with: with?.line ?? step.line)
        parameters = with?.fields.compactMapValues(\.keyLine) ?? [:]
    }
}
