// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

package import DrydockModel

/// A project's own `drydock.yaml`, checked: what it asks for, not what it gets.
package struct ProjectFile: Hashable, Sendable {
    /// Its name at the top of a source.
    package static let name = "drydock.yaml"
    /// Bytes of the largest one that is read.
    package static let largest = YAMLDocument.largest

    /// In file order; empty = the plugins detect.
    package var steps: [PlannedStep]
    /// Empty = everything under `$DRYDOCK_OUT`.
    package var artifacts: [ArtifactRule]
    package var preview: PreviewRule?
    package var limits: RequestedLimits
    /// Environment of every step.
    package var env: [String: String] = [:]
    /// The root file system that it asks for; nil = the machine's own toolchain.
    package var root: RootName?
    /// Where that stands.
    package internal(set) var rootLine: Int?
    /// What builds may be asked for with.
    package var parameters: [ParameterRule] = []
    /// The parameters of this build, as variables of every step.
    private var given: [String: String] = [:]
    /// Where each step stands, for who finds that its plugin is none or does not take its parameters.
    package internal(set) var lines: [StepID: StepLines] = [:]

    /// Reads the file's bytes; whatever is wrong throws `configInvalid` with line and hint.
    package init(parsing bytes: [UInt8]) throws(Failure) {
        let parser = ProjectFileParser()
        self = try parser.parse(bytes)
    }

    init(steps: [PlannedStep], artifacts: [ArtifactRule], preview: PreviewRule?, limits: RequestedLimits) {
        self.steps = steps
        self.artifacts = artifacts
        self.preview = preview
        self.limits = limits
    }
}

/// The lines of one step in the file, from 1.
package struct StepLines: Hashable, Sendable {
    /// Of `plugin`.
    package var plugin: Int?
    /// Of `with`; of the step where it has none.
    package var with: Int?
    /// Of each key of `with`.
    package var parameters: [String: Int] = [:]

    package init(plugin: Int? = nil, with: Int? = nil) {
        self.plugin = plugin
        self.with = with
    }
}

/// The numbers a project asks for; nil = what the operator gives.
package struct RequestedLimits: Hashable, Sendable {
    package var memory: ByteCount?
    package var processes: Int?
    package var disk: ByteCount?
    package var total: Duration?
    package var silence: Duration?
    package var log: ByteCount?
    package var network: ByteCount?
    /// CPU cores.
    package var cpus: Double?

    package init() {}
}

extension ProjectFile {
    /// Takes the parameters of a build: those that are declared and not given have their defaults.
    ///
    /// Throws `configInvalid` for one that is not declared, has another value than it may, or is missing.
    package mutating func take(_ asked: BuildParameters) throws(Failure) {
        do throws(FieldProblem) {
            given = try ParameterRule.variables(parameters, for: asked)
        } catch {
            throw Failure(error, file: Self.name)
        }
    }

    /// The plan that the policy leaves of what the file asks for; `plan.clipped` tells what it took.
    ///
    /// `detected` are the steps of a project that names none.
    package func plan(clippedBy policy: Policy, detected: [PlannedStep] = []) -> Plan {
        var clipping = Clipping()
        var narrowed = policy
        narrowed.limits = clipping.limits(self.limits, within: policy.limits)
        let steps = (self.steps.isEmpty ? detected : self.steps).map { step in
            var step = clipping.step(step, within: narrowed.limits)
            step.network = clipping.network(of: step, within: policy.network)
            step.profile = clipping.profile(of: step, within: policy.profiles)
            step.env = env.merging(step.env) { _, ofStep in ofStep }.merging(given) { _, given in given }
            return step
        }
        narrowed.network = NetworkPolicy(joining: steps.map { $0.network ?? [] })
        return Plan(
            steps: steps,
            artifacts: artifacts,
            preview: preview,
            policy: narrowed,
            clipped: clipping.told
        )
    }
}

/// Takes the smaller of what is asked for and what is given, and writes down where they differed.
private struct Clipping {
    var told: [String] = []

    mutating func limits(_ asked: RequestedLimits, within given: Limits) -> Limits {
        var limits = given
        limits.memory = smaller("memory", asked.memory, limits.memory) { $0.description }
        limits.processes = smaller("processes", asked.processes, limits.processes) { "\($0)" }
        limits.disk = smaller("disk", asked.disk, limits.disk) { $0.description }
        limits.total = smaller("total", asked.total, limits.total) { $0.setting }
        limits.silence = smaller("silence", asked.silence, limits.silence) { $0.setting }
        limits.log = smaller("log", asked.log, limits.log) { $0.description }
        limits.network = smaller("network", asked.network, limits.network) { $0.description }
        if let cpus = asked.cpus {
            limits.cpus = limits.cpus.map { smaller("cpus", cpus, $0) { "\($0)" } } ?? cpus
        }
        return limits
    }

    mutating func step(_ asked: PlannedStep, within limits: Limits) -> PlannedStep {
        var step = asked
        if let timeout = asked.timeout {
            step.timeout = smaller("timeout of step \(asked.id)", timeout, limits.total) { $0.setting }
        }
        return step
    }

    /// The hosts that a step gets of those it asks for.
    mutating func network(of step: PlannedStep, within given: NetworkPolicy) -> [NetworkRule] {
        let (granted, refused) = given.granting(step.network ?? [])
        if !refused.isEmpty {
            let hosts = refused.map(\.description).joined(separator: ", ")
            let allowed = given.isNone ? "no network" : given.rules.map(\.description).joined(separator: ", ")
            told.append("network of step \(step.id): asked for \(hosts), the operator allows \(allowed)")
        }
        return granted.rules
    }

    /// The profile that a step asks for, where it may have it.
    mutating func profile(of step: PlannedStep, within given: [SandboxProfile]) -> SandboxProfile? {
        guard let asked = step.profile, asked != .strict, !given.contains(asked) else { return step.profile }
        let allowed = ([.strict] + given).map(\.rawValue).joined(separator: ", ")
        told.append(
            "profile of step \(step.id): asked for \(asked.rawValue), the operator allows \(allowed)"
        )
        return nil
    }

    private mutating func smaller<Value: Comparable>(
        _ name: String,
        _ asked: Value?,
        _ given: Value,
        _ text: (Value) -> String
    ) -> Value {
        guard let asked else { return given }
        if asked > given {
            told.append("\(name): asked for \(text(asked)), the operator allows \(text(given))")
        }
        return min(asked, given)
    }
}
