// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

/// The steps of a build as a value, fixed before anything runs.
package struct Plan: Codable, Hashable, Sendable {
    /// In file order; `needs` refers to ids of others.
    package var steps: [PlannedStep]
    /// What becomes artifacts; empty = everything under `$DRYDOCK_OUT`.
    package var artifacts: [ArtifactRule]
    /// What is served when the build succeeded, if anything was asked for.
    package var preview: PreviewRule?
    /// What its steps have as `/`; nil = this machine's own toolchain.
    package var root: PlannedRoot?
    /// The operator's policy, narrowed to what was asked for.
    package var policy: Policy
    /// What was clipped, a sentence each, for the viewers.
    package var clipped: [String]

    package init(
        steps: [PlannedStep],
        artifacts: [ArtifactRule] = [],
        preview: PreviewRule? = nil,
        root: PlannedRoot? = nil,
        policy: Policy = Policy(),
        clipped: [String] = []
    ) {
        self.steps = steps
        self.artifacts = artifacts
        self.preview = preview
        self.root = root
        self.policy = policy
        self.clipped = clipped
    }
}

/// One plugin call inside a build.
package struct PlannedStep: Codable, Hashable, Sendable {
    package var id: StepID
    package var plugin: PluginName
    /// What viewers read; defaults to the plugin's title.
    package var title: String
    /// The step's parameters, by the plugin's own schema.
    package var with: JSON
    /// Ids of the steps that come first.
    package var needs: [StepID]
    /// Hosts it asks for, and in a plan that was clipped those it gets; nil = those that its plugin may ask for.
    package var network: [NetworkRule]?
    /// What its sandboxes let through beside the ordinary; nil = nothing more.
    package var profile: SandboxProfile?
    /// Globs for the cache key; empty = the whole source.
    package var inputs: [RelativePath]
    /// Globs of what it makes; only steps that say so are reused, or run beside others.
    package var outputs: [RelativePath]
    /// Its own timeout, where it names one.
    package var timeout: Duration?
    /// Additional environment.
    package var env: [String: String]
    /// Share of the build's progress among its steps.
    package var weight: Double

    package init(
        id: StepID,
        plugin: PluginName,
        title: String,
        with: JSON = .object([:]),
        needs: [StepID] = [],
        network: [NetworkRule]? = nil,
        profile: SandboxProfile? = nil,
        inputs: [RelativePath] = [],
        outputs: [RelativePath] = [],
        timeout: Duration? = nil,
        env: [String: String] = [:],
        weight: Double = 1
    ) {
        self.id = id
        self.plugin = plugin
        self.title = title
        self.with = with
        self.needs = needs
        self.network = network
        self.profile = profile
        self.inputs = inputs
        self.outputs = outputs
        self.timeout = timeout
        self.env = env
        self.weight = weight
    }
}

/// A path under `$DRYDOCK_OUT` that becomes an artifact.
package struct ArtifactRule: Codable, Hashable, Sendable {
    /// Relative to `$DRYDOCK_OUT`.
    package var path: RelativePath
    package var role: ArtifactRole
    package var title: String?

    package init(path: RelativePath, role: ArtifactRole, title: String? = nil) {
        self.path = path
        self.role = role
        self.title = title
    }
}

extension ArtifactRule: FieldReadable {
    package init(_ field: Field) throws(FieldProblem) {
        let fields = try field.fields(["path", "role", "title"])
        self.init(
            path: try fields.required("path"),
            role: try fields.optional("role") ?? .other,
            title: try fields["title"]?.text()
        )
    }
}

/// What an artifact is for.
package enum ArtifactRole: String, Codable, Sendable, CaseIterable, FieldReadable {
    case site
    case binary
    case package
    case report
    case log
    case other
}

/// How the result is served.
package struct PreviewRule: Codable, Hashable, Sendable {
    /// Directory below the artifacts that is the site's root; nil for a running process.
    package var root: RelativePath?
    /// Unknown paths of navigations answer with `index.html`.
    package var spa: Bool
    /// The server to run instead of serving files.
    package var start: [String]?

    package init(root: RelativePath?, spa: Bool = false, start: [String]? = nil) {
        self.root = root
        self.spa = spa
        self.start = start
    }
}

/// One immutable file a build gave out.
package struct Artifact: Codable, Hashable, Sendable {
    /// Relative, `/`-separated, no `.` or `..` components.
    package var path: String
    package var digest: Digest
    package var size: ByteCount
    package var role: ArtifactRole
    /// Whether it was executable by its owner.
    package var executable: Bool

    package init(path: String, digest: Digest, size: ByteCount, role: ArtifactRole, executable: Bool) {
        self.path = path
        self.digest = digest
        self.size = size
        self.role = role
        self.executable = executable
    }
}
