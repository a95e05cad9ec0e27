// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

package import DrydockModel
package import DrydockOS
import DrydockProtocol
package import DrydockSandbox

/// Which plugin a project is for, and why.
package struct Detection: Hashable, Sendable {
    /// What one plugin said.
    package struct Candidate: Hashable, Sendable {
        package var plugin: PluginName
        /// 0…100; 0 = not its project.
        package var score: Int
        /// For people: `found pyproject.toml`.
        package var why: String
        /// It could not say: its driver crashed or hung.
        package var isBroken = false
        /// It was asked itself: the reason is its own.
        package var isLooked = false
    }

    /// Every plugin of the catalog, in its order.
    package var candidates: [Candidate]

    /// The highest score wins, ties by order; nil when nobody wants the project.
    package var winner: Candidate? {
        candidates.reduce(nil) { best, next in next.score > (best?.score ?? 0) ? next : best }
    }
}

/// Asks plugins about a project: what their manifests say, and drivers themselves.
package struct ProjectSurvey: Sendable {
    private let catalog: PluginCatalog
    private let call: VerbCall
    private let heard: @Sendable (_ plugin: PluginName, _ line: String) -> Void

    /// A survey of the project whose top holds `files`; `driver` is a driver's sandbox, with the project mounted
    /// read-only and noexec.
    ///
    /// `heard` gets the lines that drivers write to standard error, the first 16 KiB of each verb's.
    package init(
        catalog: PluginCatalog,
        files: [String],
        driver: SandboxSpec,
        launcher: any SandboxLauncher,
        clock: any MonotonicClock = ContinuousClock(),
        heard: @escaping @Sendable (_ plugin: PluginName, _ line: String) -> Void = { _, _ in }
    ) {
        self.catalog = catalog
        call = VerbCall(driver: driver, files: files, launcher: launcher, clock: clock)
        self.heard = heard
    }

    /// Every plugin's score, and why.
    package func detect() async -> Detection {
        var candidates: [Detection.Candidate] = []
        for plugin in catalog.plugins { candidates.append(await candidate(plugin)) }
        return Detection(candidates: candidates)
    }

    /// The steps a driver plans for the project; without the verb `plan` a single step of itself.
    ///
    /// Throws what the driver says is wrong with the project, or what is wrong with the driver.
    package func plan(_ plugin: Plugin) async throws(Failure) -> [PlannedStep] {
        guard plugin.plans else {
            return [PlannedStep(id: StepID(plugin.name), plugin: plugin.name, title: plugin.manifest.title)]
        }
        return try await answer(plugin, with: .object([:]))
    }

    /// Has the driver of a step that somebody else planned look at the project and the step's parameters, where it plans.
    ///
    /// Throws what it says is wrong; the steps that it would plan are of no interest.
    package func check(_ step: PlannedStep, _ plugin: Plugin) async throws(Failure) {
        if plugin.plans { _ = try await answer(plugin, with: step.with) }
    }

    private func answer(_ plugin: Plugin, with parameters: JSON) async throws(Failure) -> [PlannedStep] {
        let answer = try await ask(plugin, .plan, with: parameters)
        guard answer.status == 0 else {
            throw Failure(
                .planFailed,
                .plugin,
                "the plugin \(plugin.name) could not plan: exit status \(answer.status)\(answer.lastWord)"
            )
        }
        let verdict: PlanAnswer.Verdict
        do {
            verdict = try PlanAnswer.read(answer.bytes, planner: plugin)
        } catch {
            throw Failure(
                .planFailed,
                .plugin,
                "the plan of the plugin \(plugin.name) is no plan: \(error.sentence)"
            )
        }
        switch verdict {
        case .steps(let steps): return steps
        case .refused(let failure): throw failure
        }
    }

    private func candidate(_ plugin: Plugin) async -> Detection.Candidate {
        let rule = plugin.manifest.detect
        let match = rule.files.lazy.compactMap { glob in call.files.first { Glob.matches(glob, $0) } }.first
        func answer(_ score: Int, _ why: String) -> Detection.Candidate {
            Detection.Candidate(plugin: plugin.name, score: score, why: why)
        }
        func broken(_ why: String) -> Detection.Candidate {
            let why = "its detection failed: \(why)"
            return Detection.Candidate(plugin: plugin.name, score: 0, why: why, isBroken: true)
        }
        if match == nil, !rule.files.isEmpty {
            return answer(0, "found none of " + rule.files.joined(separator: ", "))
        }
        guard plugin.manifest.kind == .driver, plugin.manifest.verbs.contains(.detect) else {
            return match.map { answer(rule.score, "found \($0)") } ?? answer(0, "only used where it is named")
        }
        do throws(Failure) {
            let said = try await ask(plugin, .detect)
            switch said.status {
            case 0:
                let json = (try? BoundedJSONReader.read(said.bytes)) ?? .null
                let score = json["score"]?.integer.map { min(max($0, 0), 100) } ?? rule.score
                let why = json["why"]?.string.map { String($0.prefix(200)) }
                return answer(score, why ?? match.map { "found \($0)" } ?? "it says so")
            case 100:
                var refusal = answer(0, "it says it is not its project")
                refusal.isLooked = true
                return refusal
            default: return broken("exit status \(said.status)\(said.lastWord)")
            }
        } catch {
            return broken(error.message)
        }
    }

    /// Runs a verb that answers on standard output.
    private func ask(
        _ plugin: Plugin,
        _ verb: PluginVerb,
        with parameters: JSON = .object([:])
    ) async throws(Failure) -> VerbAnswer {
        let request = HostRecord.request(call.request(verb, with: parameters))
        return try await call.ask(plugin, verb.rawValue, [request.encoded()]) { heard(plugin.name, $0) }
    }
}

extension Plugin {
    /// Whether it is asked for a plan.
    fileprivate var plans: Bool { manifest.kind == .driver && manifest.verbs.contains(.plan) }
}
