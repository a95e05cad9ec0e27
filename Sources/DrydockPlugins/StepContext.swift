// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

package import DrydockModel
package import DrydockOS
package import DrydockObservers
package import DrydockProtocol
package import DrydockSandbox

/// Where the events of a step go.
///
/// Called from the threads that read pipes, one call after another for one stream: it must be thread-safe, and may
/// block, which holds the step's output up.
package protocol StepEventSink: Sendable {
    func emit(_ events: [Event], via: Via)
}

/// Everything a step needs to run.
package struct StepContext: Sendable {
    package var build: BuildID
    package var plugin: Plugin
    package var step: PlannedStep
    /// The project's sandbox: mounts of the workspace, the step's whole environment; `argv` is of no interest.
    package var project: SandboxSpec
    /// A driver's own sandbox: the workspace read-only and noexec, no network.
    package var driver: SandboxSpec
    /// Secrets that must not show in anything the step says.
    package var masks: [String]
    /// The names at the top of the project.
    package var files: [String]
    /// Between TERM and the end of everything.
    package var grace: Duration
    /// What `timeout` and `silence` are counted in.
    package var clock: any MonotonicClock
    /// A directory of the host that no sandbox can write to, for parameters too long for a variable; nil = none.
    package var parameters: String?
    /// What reads the output of tools.
    package var observers: ObserverCatalog
    /// Whether a relative path is a file of the source as it was before anything ran.
    package var isInSource: @Sendable (String) -> Bool
    /// The one such file whose path ends like this; nil = none, or several.
    package var findSource: @Sendable (String) -> String?
    /// The content of such a file, up to a size; nil where there is none.
    package var readSource: @Sendable (String) -> [UInt8]?
    /// Who reads along; nil = nobody, as in every build.
    package var inspection: StepInspection?

    package init(
        build: BuildID,
        plugin: Plugin,
        step: PlannedStep,
        project: SandboxSpec,
        driver: SandboxSpec
    ) {
        self.build = build
        self.plugin = plugin
        self.step = step
        self.project = project
        self.driver = driver
        masks = []
        files = []
        grace = .seconds(10)
        clock = ContinuousClock()
        observers = ObserverCatalog()
        isInSource = { _ in false }
        findSource = { _ in nil }
        readSource = { _ in nil }
    }

    /// What reads the output of one command of the step, run in `directory` of the project; `named` by whoever asked for it.
    func observer(
        of argv: [String],
        in directory: RelativePath? = nil,
        named: [ObserverName] = []
    ) -> CommandObserver {
        CommandObserver(
            argv,
            named: named.isEmpty ? plugin.manifest.observers : named,
            catalog: observers,
            places: places(from: directory),
            readJSON: { try? BoundedJSONReader.read($0, bounds: .diagnostic) }
        )
    }

    /// Where files that are named in `directory` of the project lie in it.
    package func places(from directory: RelativePath? = nil) -> SourcePlaces {
        SourcePlaces(
            root: project.workingDirectory,
            directory: directory?.rawValue ?? "",
            isInSource: isInSource,
            search: findSource
        )
    }

    /// `step` and `silence` are enforced here, the others by the sandbox.
    var limits: Limits { project.limits }

    /// What bounds the step as a whole: the least of what the operator, the plan and the manifest say.
    var timeout: Duration {
        [limits.step, step.timeout, plugin.manifest.stepTimeout].compactMap(\.self).min() ?? limits.step
    }

    /// The longest time without output.
    var silence: Duration { min(limits.silence, plugin.manifest.silenceTimeout ?? limits.silence) }
}

/// What came of a step.
package struct StepReport: Sendable, Hashable {
    /// nil = the plugin did its work; whether the artifacts are there is for the worker to see.
    package var failure: Failure?
    package var usage: Usage
    /// Declared by a driver, or by the manifest.
    package var artifacts: [ArtifactRule]
    package var preview: PreviewRule?
    package var outputs: [String: String]
    /// What its sandboxes stopped; each was told when it happened.
    package var violations: [Violation]
    /// The first errors that were declared or observed, for the failure's explanation.
    package var diagnostics: [Diagnostic]
    /// What has to be hidden in whatever else is read of the step.
    package var masker = Masker()

    package init(failure: Failure?, usage: Usage) {
        self.failure = failure
        self.usage = usage
        artifacts = []
        outputs = [:]
        violations = []
        diagnostics = []
    }
}
