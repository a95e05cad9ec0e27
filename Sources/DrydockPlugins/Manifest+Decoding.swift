// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

package import DrydockModel
import DrydockProtocol

extension Manifest {
    /// Bytes of a manifest at most.
    static let largest = 256 << 10
    /// Bytes of one of its texts.
    private static let longestText = 4_096

    /// Reads a manifest strictly; `name` is the plugin's by its folder or file.
    package init(json bytes: [UInt8], name: PluginName) throws(FieldProblem) {
        try self.init(try Self.document(bytes), name: name)
    }

    init(_ document: Field, name: PluginName) throws(FieldProblem) {
        try self.init(try document.fields(), name: name)
    }

    /// The manifest as JSON, nothing of it read yet.
    static func document(_ bytes: [UInt8]) throws(FieldProblem) -> Field {
        let bounds = JSONBounds(depth: 16, fields: 1_024, elements: 4_096)
        return try BoundedJSONReader.document(bytes, "the manifest", bounds: bounds)
    }

    private static let keys = [
        "protocol", "name", "version", "title", "kind", "exec", "verbs", "detect", "stages", "requires",
        "permits", "observers", "config", "timeout", "provides",
    ]

    private init(_ fields: Fields, name: PluginName) throws(FieldProblem) {
        self.init(name: name)
        if !(try Self.isNewerMinor(try fields.required("protocol"))) { try fields.allow(Self.keys) }
        if let field = fields["name"], case let declared = try field.text(), declared != name.rawValue {
            throw field.problem(
                "is '\(declared.prefix(64))', but its folder or file is named '\(name)'"
            )
        }
        version = try fields["version"]?.text(limit: Self.longestText) ?? version
        title = try fields["title"]?.text(limit: Self.longestText) ?? title
        kind = try fields.optional("kind") ?? kind
        if let command = fields["exec"] {
            exec = try command.texts()
            if exec.first?.isEmpty != false { throw command.problem("is empty") }
        }
        if let field = fields["verbs"] {
            verbs.formUnion(try [PluginVerb](field))
            if kind != .driver, verbs != [.run] { throw field.problem("of a guest may be no verbs but run") }
        }
        try readDetection(fields["detect"])
        try readStages(fields["stages"])
        commands = try fields["requires"]?.fields(["commands"])["commands"]?.texts() ?? []
        if let permits = try fields["permits"]?.fields(["network", "secrets"]) {
            self.permits.network = try permits["network"].map(NetworkRule.list) ?? []
            self.permits.secrets = try permits["secrets"]?.texts() ?? []
        }
        observers = try fields.optional("observers") ?? []
        config = try fields.optional("config")
        let timeout = try fields["timeout"]?.fields(["step", "silence"])
        stepTimeout = try timeout?["step"]?.seconds()
        silenceTimeout = try timeout?["silence"]?.seconds()
        try readProvisions(fields["provides"])
    }

    /// Whether the minor number is above ours; another major number throws.
    private static func isNewerMinor(_ field: Field) throws(FieldProblem) -> Bool {
        let text = try field.text(limit: longestText)
        let parts = text.split(separator: ".", omittingEmptySubsequences: false).map { UInt16($0) }
        guard parts.count == 2, let major = parts[0], let minor = parts[1] else {
            throw field.problem("is '\(text.prefix(64))'; it should be like '1.0'")
        }
        if major != 1 {
            throw FieldProblem("it speaks protocol \(text), and this version of Drydock speaks 1.0")
        }
        return minor > 0
    }

    private mutating func readDetection(_ field: Field?) throws(FieldProblem) {
        guard let fields = try field?.fields(["files", "score"]) else { return }
        let score = try fields["score"]?.integer(in: 0...100) ?? 50
        detect = DetectRule(files: try fields["files"]?.texts() ?? [], score: score)
        if let bad = detect.files.first(where: { $0.isEmpty || $0.contains("/") }) {
            throw FieldProblem(
                "the glob '\(bad.prefix(64))' of 'detect.files' is not for a name at the top of the project",
                line: fields["files"]?.line
            )
        }
    }

    private mutating func readStages(_ field: Field?) throws(FieldProblem) {
        for element in try field?.list() ?? [] {
            let fields = try element.fields(["id", "title", "weight"])
            let id = try fields.required("id").filled(limit: Self.longestText)
            let stage = ManifestStage(
                id: StageID(rawValue: id),
                title: try fields["title"]?.text(limit: Self.longestText) ?? id,
                weight: try fields["weight"]?.number(in: 0.001...1_000_000) ?? 1
            )
            if stages.contains(where: { $0.id == stage.id }) {
                throw element.problem("has the id '\(id.prefix(64))', which stands twice")
            }
            stages.append(stage)
        }
    }

    private mutating func readProvisions(_ field: Field?) throws(FieldProblem) {
        guard let fields = try field?.fields(["artifacts", "preview"]) else { return }
        artifacts = try fields.optional("artifacts") ?? []
        guard let preview = try fields["preview"]?.fields(["root", "spa"]) else { return }
        self.preview = PreviewRule(
            root: try preview.required("root"),
            spa: try preview.optional("spa") ?? false
        )
    }
}
