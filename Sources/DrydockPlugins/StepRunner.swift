// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

package import DrydockModel
package import DrydockSandbox
import Synchronization
import SystemPackage

/// Runs one step's plugin, once.
package final class StepRunner: Sendable {
    private enum State {
        case idle
        case running(@Sendable (Failure) -> Void)
        /// The wish came before or during the run.
        case cancelled(Failure)
        case ended
    }

    private let state = Mutex(State.idle)

    package init() {}

    /// Runs the step to its end: nothing of it is left when this returns.
    ///
    /// The plugin's own commands and the project's run through `launcher`; what is said goes to `sink`, in order.
    package func run(
        _ context: StepContext,
        launcher: any SandboxLauncher,
        sink: any StepEventSink
    ) async -> StepReport {
        if let problem = StepParameters.problem(context.step.with, plugin: context.plugin) {
            return StepReport(failure: problem.failure, usage: Usage(wall: .zero))
        }
        var report = await host(context, launcher, ForwardProgress(sink))
        let cancelled = state.withLock { state in
            defer { state = .ended }
            if case .cancelled(let failure) = state { return failure as Failure? }
            return nil
        }
        if report.failure != nil, let cancelled { report.failure = cancelled }
        return report
    }

    /// Ends the step: a driver is told, everything gets TERM, and after the grace there is nothing left of it.
    ///
    /// `failure` says why and becomes the report's, unless the step succeeds all the same. The first wish counts.
    package func cancel(_ failure: Failure) {
        let tell = state.withLock { state -> (@Sendable (Failure) -> Void)? in
            switch state {
            case .idle:
                state = .cancelled(failure)
                return nil
            case .running(let tell):
                state = .cancelled(failure)
                return tell
            case .cancelled, .ended: return nil
            }
        }
        tell?(failure)
    }

    private func host(
        _ context: StepContext,
        _ launcher: any SandboxLauncher,
        _ sink: any StepEventSink
    ) async -> StepReport {
        switch context.plugin.manifest.kind {
        case .guest:
            let host = GuestHost(context: context, launcher: launcher, sink: sink)
            let canRun = begin { _ in host.control.end(.cancelled, grace: context.grace) }
            return canRun ? await host.run() : notRun
        case .driver:
            do throws(Errno) {
                let host = try DriverHost(context: context, launcher: launcher, sink: sink)
                if begin({ host.cancel($0) }) { return await host.run() }
                host.discard()
                return notRun
            } catch {
                let problem = SandboxError.host(call: "socketpair", errno: Int(error.rawValue))
                let failure = OutcomeTable.failure(of: problem, command: context.plugin.name.rawValue)
                return StepReport(failure: failure, usage: Usage(wall: .zero))
            }
        }
    }

    /// False when the step was cancelled before it began.
    private func begin(_ tell: @escaping @Sendable (Failure) -> Void) -> Bool {
        state.withLock { state in
            guard case .idle = state else { return false }
            state = .running(tell)
            return true
        }
    }

    private var notRun: StepReport {
        StepReport(
            failure: Failure(.cancelled, .user, "cancelled before it began"),
            usage: Usage(wall: .zero)
        )
    }
}
