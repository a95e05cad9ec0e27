// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import DrydockModel
import DrydockOS
import DrydockObservers
import DrydockSandbox
import FoundationEssentials
import SystemPackage

/// A guest plugin in the project's sandbox.
struct GuestHost: Sendable {
    let context: StepContext
    let launcher: any SandboxLauncher
    let sink: any StepEventSink
    let control = SandboxControl()

    /// Runs the guest to its end.
    func run() async -> StepReport {
        let masker = StepMasker(context.masks)
        let violations = ViolationLog(sink, masker)
        let observer = observer
        let output = ProjectOutput(
            sink: sink,
            masker: masker,
            stage: nil,
            guest: GuestRecords(
                plugin: context.plugin,
                clock: context.clock,
                places: context.places(),
                audit: context.inspection?.audit
            ),
            observer: observer,
            clock: context.clock,
            tail: 0
        )
        let spec: SandboxSpec
        do throws(Failure) {
            spec = try self.spec(hints: observer.environment)
        } catch {
            return StepReport(failure: error, usage: Usage(wall: .zero))
        }
        let run = SandboxedCommand(
            spec: spec,
            clock: context.clock,
            deadline: context.clock.now.advanced(by: context.timeout),
            silence: context.silence,
            grace: context.grace,
            control: control,
            streams: .together,
            onViolation: { violations.note($0, in: output.stage) },
            onOutput: { output.receive($0, $1) }
        )
        let stdin: OwnedDescriptor
        do throws(Errno) {
            stdin = try .null()
        } catch {
            let failure = OutcomeTable.failure(
                of: .host(call: "open", errno: Int(error.rawValue)),
                command: name
            )
            return StepReport(failure: failure, usage: Usage(wall: .zero))
        }
        let end = await run.run(stdin: stdin, launcher: launcher)
        let report = report(end)
        violations.finish()
        output.finish(report.failure == nil ? .ok : .failed)
        var told = report.adding(errors: output.errors)
        told.violations = violations.violations
        if let failure = told.failure, case .ran(let ran) = end.ending {
            told.failure = failure.detailed(output.details, command: command, ran.verdict)
        }
        told.masker = masker.current
        return told.showing(context, masker.current)
    }

    /// What ran, as its author knows it.
    private var command: [String] {
        context.step.with["run"]?.string.map { [$0] } ?? context.plugin.command
    }

    /// A script's line says which tools it runs; of another guest its manifest does.
    private var observer: CommandObserver {
        let line = context.plugin.name == .script ? context.step.with["run"]?.string : nil
        return context.observer(of: line.map { ["sh", "-c", $0] } ?? [])
    }

    private var name: String { "step \(context.step.id)" }

    /// `hints` make tools tell more; what the step says about the same variable counts.
    private func spec(hints: [String: String]) throws(Failure) -> SandboxSpec {
        let parameters = try ParameterFiles(context.step, folder: context.parameters)
        var spec = context.project
        spec.argv = context.plugin.command
        spec.mounts += context.plugin.mounts + parameters.mounts
        spec.environment.merge(hints) { steps, _ in steps }
        spec.environment.merge(context.plugin.environment) { _, ours in ours }
        spec.environment.merge(parameters.variables) { _, ours in ours }
        return spec
    }

    private func report(_ end: CommandEnd) -> StepReport {
        switch end.ending {
        case .notStarted(let error):
            let failure = OutcomeTable.failure(of: error, command: name).blamedOnPlugin
            return StepReport(failure: failure, usage: Usage(wall: end.duration))
        case .ran(let ran):
            var limits = context.limits
            limits.silence = context.silence
            var failure = OutcomeTable.failure(of: ran.verdict, command: name, limits: limits)
            if case .execFailed = ran.verdict { failure = failure?.blamedOnPlugin }
            var report = StepReport(failure: failure, usage: ran.usage)
            report.artifacts = context.plugin.manifest.artifacts
            report.preview = context.plugin.manifest.preview
            return report
        }
    }
}

extension StepReport {
    /// The report with the errors that its output showed; the first of them is the failure's place.
    func adding(errors: [Diagnostic]) -> StepReport {
        var report = self
        report.diagnostics += errors
        report.failure = failure?.located(by: errors)
        return report
    }
}

extension Plugin {
    /// Where a directory's `lib` is inside, for its plugins' own processes.
    static let libraryPath = "/plugin-lib"

    /// Its folder, or its one file, and the directory's `lib`.
    var mounts: [SandboxMount] {
        let target =
            switch shape {
            case .folder: InsidePath.plugin
            case .file(let name): "\(InsidePath.plugin)/\(name)"
            }
        let own = SandboxMount(source: path, target: target, access: .readOnly)
        guard let library else { return [own] }
        return [own, SandboxMount(source: library, target: Self.libraryPath, access: .readOnly)]
    }

    /// What its own process has in its environment beside the step's.
    var environment: [String: String] { library == nil ? [:] : ["DRYDOCK_LIB": Self.libraryPath] }
}
