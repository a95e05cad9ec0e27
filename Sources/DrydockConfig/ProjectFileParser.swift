// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import DrydockModel

/// Reads `drydock.yaml`; its keys stand in docs/drydock-yaml.md.
struct ProjectFileParser {
    private static let mostSteps = 200

    private let reader = SettingReader(file: ProjectFile.name)

    func parse(_ bytes: [UInt8]) throws(Failure) -> ProjectFile {
        guard let document = try YAMLDocument.parse(bytes, file: ProjectFile.name) else {
            throw reader.failure(
                "\(ProjectFile.name) is empty",
                nil,
                hint: "write 'version: 1', or remove it"
            )
        }
        let keys = ["version", "steps", "artifacts", "preview", "limits"]
        let fields = try reader.table(document, ProjectFile.name, keys: keys)
        try checkVersion(fields["version"], document)
        var file = ProjectFile(
            steps: try fields["steps"].map(steps) ?? [],
            artifacts: try fields["artifacts"].map(artifacts) ?? [],
            preview: try fields["preview"].map(preview),
            limits: try fields["limits"].map(limits) ?? RequestedLimits()
        )
        if case .list(let elements)? = fields["steps"]?.content {
            for element in elements {
                let name = (element.field("id") ?? element.field("plugin"))?.json.string
                guard let id = name.flatMap(StepID.init(rawValue:)) else { continue }
                file.lines[id] = lines(of: element)
            }
        }
        return file
    }

    private func lines(of step: YAMLValue) -> StepLines {
        let with = step.field("with")
        var lines = StepLines(plugin: step.field("plugin")?.line ?? step.line, with: with?.line ?? step.line)
        if case .table(let fields)? = with?.content {
            for field in fields { lines.parameters[field.key] = field.line ?? field.value.line }
        }
        return lines
    }

    private func checkVersion(_ version: YAMLValue?, _ document: YAMLValue) throws(Failure) {
        guard let version else {
            throw reader.failure("'version' is missing", document.line, hint: "begin with 'version: 1'")
        }
        guard case .integer(1) = version.content else {
            throw reader.failure("'version' must be 1, the only one there is", version.line)
        }
    }

    // MARK: Steps

    private func steps(_ value: YAMLValue) throws(Failure) -> [PlannedStep] {
        let list = try reader.list(value, "steps")
        if list.isEmpty { throw reader.failure("'steps' is empty", value.line, hint: "leave it out") }
        if list.count > ProjectFileParser.mostSteps {
            throw reader.failure("more than \(ProjectFileParser.mostSteps) steps", value.line)
        }
        var steps: [PlannedStep] = []
        var needs: [[YAMLValue]] = []
        for element in list {
            let (step, itsNeeds) = try step(element)
            if steps.contains(where: { $0.id == step.id }) {
                throw reader.failure(
                    "two steps have the id '\(step.id)'",
                    element.line,
                    hint: "give one of them an 'id' of its own"
                )
            }
            steps.append(step)
            needs.append(itsNeeds)
        }
        return try StepOrder(reader: reader).resolve(steps, needs)
    }

    private func step(_ value: YAMLValue) throws(Failure) -> (PlannedStep, needs: [YAMLValue]) {
        let keys = ["id", "plugin", "with", "needs", "network", "inputs", "outputs", "timeout"]
        let fields = try reader.table(value, "a step", keys: keys)
        guard let pluginField = fields["plugin"] else {
            throw reader.failure(
                "a step has no 'plugin'",
                value.line,
                hint: "add 'plugin: script' or another"
            )
        }
        let plugin: PluginName = try reader.name(pluginField, "plugin")
        let id =
            try fields["id"].map { value throws(Failure) in try reader.name(value, "id") } ?? StepID(plugin)
        var step = PlannedStep(id: id, plugin: plugin, title: id.rawValue)
        if let with = fields["with"] {
            guard case .table = with.content else {
                throw reader.failure("'with' must be a table of keys, not \(with.typeName)", with.line)
            }
            step.with = with.json
        }
        step.network = try fields["network"].map(hosts) ?? []
        step.inputs = try fields["inputs"].map { value throws(Failure) in try globs(value, "inputs") } ?? []
        step.outputs =
            try fields["outputs"].map { value throws(Failure) in try globs(value, "outputs") } ?? []
        step.timeout = try fields["timeout"].map { value throws(Failure) in
            try reader.duration(value, "timeout")
        }
        return (
            step, try fields["needs"].map { value throws(Failure) in try reader.list(value, "needs") } ?? []
        )
    }

    private func hosts(_ value: YAMLValue) throws(Failure) -> [String] {
        var hosts: [String] = []
        for element in try reader.list(value, "network") {
            let host = try reader.text(element, "network").lowercased()
            let letters = "abcdefghijklmnopqrstuvwxyz0123456789.-*:_".utf8
            guard host.utf8.count <= 253, host.utf8.allSatisfy({ letters.contains($0) }) else {
                throw reader.failure(
                    "'network' has '\(host.prefix(64))', which is no host name",
                    element.line,
                    hint: "write the bare name, such as pypi.org"
                )
            }
            hosts.append(host)
        }
        if !hosts.isEmpty {
            throw reader.unsupported(
                "network",
                value.line,
                instead: "put what the build needs into the source"
            )
        }
        return hosts
    }

    private func globs(_ value: YAMLValue, _ key: String) throws(Failure) -> [RelativePath] {
        var globs: [RelativePath] = []
        for element in try reader.list(value, key) { globs.append(try reader.relativePath(element, key)) }
        return globs
    }

    // MARK: Results and limits

    private func artifacts(_ value: YAMLValue) throws(Failure) -> [ArtifactRule] {
        var rules: [ArtifactRule] = []
        for element in try reader.list(value, "artifacts") {
            let fields = try reader.table(element, "an artifact", keys: ["path", "role", "title"])
            guard let path = fields["path"] else {
                throw reader.failure("an artifact has no 'path'", element.line)
            }
            rules.append(
                ArtifactRule(
                    path: try reader.relativePath(path, "path"),
                    role: try fields["role"].map { value throws(Failure) in
                        try reader.choice(value, "role")
                    } ?? .other,
                    title: try fields["title"].map { value throws(Failure) in
                        try reader.text(value, "title")
                    }
                )
            )
        }
        return rules
    }

    private func preview(_ value: YAMLValue) throws(Failure) -> PreviewRule {
        let fields = try reader.table(value, "preview", keys: ["root", "spa", "start"])
        let root = try fields["root"].map { value throws(Failure) in try reader.relativePath(value, "root") }
        let start = try fields["start"].map { value throws(Failure) in try reader.texts(value, "start") }
        let spa = try fields["spa"].map { value throws(Failure) in try reader.bool(value, "spa") } ?? false
        if start != nil {
            throw reader.unsupported(
                "preview.start",
                fields["start"]?.line,
                instead: "'root: site' serves files"
            )
        }
        guard let root else {
            throw reader.failure("'preview' needs 'root'", value.line, hint: "'root: site' serves files")
        }
        return PreviewRule(root: root, spa: spa)
    }

    private func limits(_ value: YAMLValue) throws(Failure) -> RequestedLimits {
        let keys = ["memory", "processes", "cpus", "disk", "total", "silence", "log"]
        var limits = RequestedLimits()
        for (key, value) in try reader.table(value, "limits", keys: keys).sorted(by: { $0.key < $1.key }) {
            switch key {
            case "memory": limits.memory = try reader.size(value, key, in: LimitBounds.memory)
            case "processes": limits.processes = try reader.integer(value, key, in: LimitBounds.processes)
            case "cpus": limits.cpus = try reader.number(value, key, in: LimitBounds.cpus)
            case "disk": limits.disk = try reader.size(value, key, in: LimitBounds.disk)
            case "total": limits.total = try reader.duration(value, key)
            case "silence": limits.silence = try reader.duration(value, key)
            default: limits.log = try reader.size(value, key)
            }
        }
        return limits
    }
}
