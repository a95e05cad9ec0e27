// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

package import DrydockModel
import DrydockProtocol

extension Manifest {
    /// Bytes of a manifest at most.
    static let largest = 256 << 10

    /// Reads a manifest strictly; `name` is the plugin's by its folder or file.
    package init(json bytes: [UInt8], name: PluginName) throws(ManifestProblem) {
        let json: JSON
        do {
            json = try BoundedJSONReader.read(
                bytes,
                bounds: JSONBounds(depth: 16, fields: 1_024, elements: 4_096)
            )
        } catch {
            throw ManifestProblem("the manifest is not JSON: \(error.reason) (byte \(error.offset))")
        }
        try self.init(ManifestFields(json, at: "the manifest"), name: name)
    }

    private static let keys: Set<String> = [
        "protocol", "name", "version", "title", "kind", "exec", "verbs", "detect", "stages", "requires",
        "permits",
        "observers", "config", "timeout", "provides",
    ]

    private init(_ fields: ManifestFields, name: PluginName) throws(ManifestProblem) {
        self.init(name: name)
        let isNewer = try Self.isNewerMinor(fields.required("protocol"))
        if !isNewer { try fields.allow(only: Self.keys) }
        if let declared = try fields.text("name"), declared != name.rawValue {
            throw ManifestProblem(
                "its \"name\" is \"\(declared)\", but its folder or file is named \"\(name)\""
            )
        }
        version = try fields.text("version") ?? version
        title = try fields.text("title") ?? name.rawValue
        kind = try fields.choice("kind", of: PluginKind.self) ?? .guest
        exec = try fields.texts("exec") ?? exec
        guard exec.first?.isEmpty == false else { throw ManifestProblem("\"exec\" is empty") }
        try readVerbs(fields)
        try readDetection(fields)
        stages = try fields.objects("stages").map(Self.stage)
        guard Set(stages.map(\.id)).count == stages.count else {
            throw ManifestProblem("a stage id stands twice")
        }
        commands = try fields.object("requires", allowing: ["commands"])?.texts("commands") ?? []
        let permits = try fields.object("permits", allowing: ["network", "secrets"])
        self.permits = Permits(
            network: try permits?.texts("network") ?? [],
            secrets: try permits?.texts("secrets") ?? []
        )
        observers = try fields.texts("observers") ?? []
        config = try fields.object("config", allowing: nil).map { fields throws(ManifestProblem) in
            try ParameterSchema(fields)
        }
        let timeout = try fields.object("timeout", allowing: ["step", "silence"])
        stepTimeout = try timeout?.seconds("step")
        silenceTimeout = try timeout?.seconds("silence")
        try readProvisions(fields)
    }

    /// Whether the minor number is above ours; another major number throws.
    private static func isNewerMinor(_ text: String) throws(ManifestProblem) -> Bool {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false).map { UInt16($0) }
        guard parts.count == 2, let major = parts[0], let minor = parts[1] else {
            throw ManifestProblem("\"protocol\" is \"\(text)\"; it should be like \"1.0\"")
        }
        guard major == 1 else {
            throw ManifestProblem("it speaks protocol \(text), and this version of Drydock speaks 1.0")
        }
        return minor > 0
    }

    private mutating func readVerbs(_ fields: ManifestFields) throws(ManifestProblem) {
        for text in try fields.texts("verbs") ?? [] {
            guard let verb = PluginVerb(rawValue: text) else {
                throw ManifestProblem("\"verbs\" names \"\(text)\"; there are run, detect, plan and selftest")
            }
            verbs.insert(verb)
        }
        guard kind == .driver || verbs == [.run] else {
            throw ManifestProblem("a guest answers no verbs but run")
        }
    }

    private mutating func readDetection(_ fields: ManifestFields) throws(ManifestProblem) {
        guard let object = try fields.object("detect", allowing: ["files", "score"]) else { return }
        detect = DetectRule(
            files: try object.texts("files") ?? [],
            score: try object.integer("score", in: 0...100) ?? 50
        )
        if let bad = detect.files.first(where: { $0.isEmpty || $0.contains("/") }) {
            throw ManifestProblem(
                "the glob \"\(bad)\" of \"detect.files\" is not for a name at the top of the project"
            )
        }
    }

    private static func stage(_ fields: ManifestFields) throws(ManifestProblem) -> ManifestStage {
        try fields.allow(only: ["id", "title", "weight"])
        let id = try fields.required("id")
        return ManifestStage(
            id: StageID(rawValue: id),
            title: try fields.text("title") ?? id,
            weight: try fields.number("weight", in: 0.001...1_000_000) ?? 1
        )
    }

    private mutating func readProvisions(_ fields: ManifestFields) throws(ManifestProblem) {
        guard let provides = try fields.object("provides", allowing: ["artifacts", "preview"]) else { return }
        for artifact in try provides.objects("artifacts") {
            try artifact.allow(only: ["path", "role", "title"])
            let rule = ArtifactRule(
                path: try artifact.relativePath("path"),
                role: try artifact.choice("role", of: ArtifactRole.self) ?? .other,
                title: try artifact.text("title")
            )
            artifacts.append(rule)
        }
        guard let preview = try provides.object("preview", allowing: ["root", "spa"]) else { return }
        self.preview = PreviewRule(
            root: try preview.relativePath("root"),
            spa: try preview.bool("spa") ?? false
        )
    }
}
