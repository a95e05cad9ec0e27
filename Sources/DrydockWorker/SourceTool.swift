// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

internal import DrydockModel
internal import DrydockOS
internal import DrydockPlugins
internal import DrydockSandbox

/// A command of this very program that makes a build's source in a sandbox, since what it reads is as hostile as any build.
struct SourceTool {
    let run: BuildRun
    /// What it does, for messages.
    let work: String
    /// The subcommand and its arguments.
    let arguments: [String]
    /// The empty directory on the host that it fills, and others that it writes to.
    let mounts: [SandboxMount]
    /// The hosts that it may reach.
    var network = NetworkPolicy.none
    /// The most memory that it may take.
    var memory = ByteCount.mebibytes(512)

    /// Runs it, with a descriptor that `stdin` makes; returns its reply, which is not empty, or throws why there is none.
    func reply(stdin: @Sendable () throws -> OwnedDescriptor) async throws -> [UInt8] {
        let control = SandboxControl()
        let cancel = { @Sendable (_: Failure) in control.end(.cancelled, grace: .zero) }
        let end = try await run.stop.whileStoppable(cancel) {
            await tool.run(
                run.shop.launcher,
                purpose: SandboxPurpose(project: run.lease.build.request.project, step: nil),
                clock: run.shop.clock,
                control: control,
                stdin: try stdin()
            )
        }
        try run.stop.check()
        switch end.ending.ending {
        case .notStarted(let error): throw OutcomeTable.failure(of: error, command: work)
        case .ran(let report):
            for use in report.usage.network { run.sink.record(.network(use)) }
            if end.answer.isEmpty { throw silence(report.verdict, end.complaint) }
            return end.answer
        }
    }

    private var tool: ConfinedTool {
        let options = run.shop.options
        var policy = options.policy
        policy.network = network
        policy.limits.memory = min(policy.limits.memory, memory)
        let setting = ConfinedTool.Setting(
            program: options.program,
            libraries: options.programLibraries,
            path: options.path
        )
        return ConfinedTool(setting, arguments, mounts: mounts, policy: policy)
    }

    /// Why it said nothing.
    private func silence(_ verdict: Verdict, _ complaint: [UInt8]) -> Failure {
        if verdict == .oom { return Failure(.sourceTooLarge, .user, "\(work) took too much memory") }
        let text = String(decoding: complaint, as: UTF8.self)
        return Failure(.internal, .platform, "\(work) ended without a reply (\(verdict)) \(text)")
    }
}
