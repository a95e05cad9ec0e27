// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

internal import DrydockArchive
internal import DrydockModel
internal import DrydockOS
internal import DrydockPlugins
internal import DrydockSandbox
internal import Synchronization
internal import SystemPackage

/// A command of this very program that makes a build's source in a sandbox, since what it reads is as hostile as any build.
struct SourceTool {
    /// The program inside.
    private static let program = "/drydock"

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

    /// A directory of the host that the tool fills.
    static func filled(_ path: FilePath, at target: String) -> SandboxMount {
        SandboxMount(source: path.string, target: target, access: .readWrite, execution: .denied)
    }

    /// Runs it, with a descriptor that `stdin` makes; returns its reply, which is not empty, or throws why there is none.
    func reply(stdin: @Sendable () throws -> OwnedDescriptor) async throws -> [UInt8] {
        let answer = BoundedText(limit: ToolReply.longest)
        let complaint = BoundedText(limit: 4_096)
        let clock = run.shop.clock
        let control = SandboxControl()
        let command = SandboxedCommand(
            spec: spec,
            clock: clock,
            deadline: clock.now.advanced(by: run.shop.options.policy.limits.total),
            control: control,
            onOutput: { stream, bytes in (stream == .out ? answer : complaint).append(bytes) }
        )
        let cancel = { @Sendable (_: Failure) in control.end(.cancelled, grace: .zero) }
        let end = try await run.stop.whileStoppable(cancel) {
            return await command.run(stdin: try stdin(), launcher: run.shop.launcher)
        }
        try run.stop.check()
        switch end.ending {
        case .notStarted(let error): throw OutcomeTable.failure(of: error, command: work)
        case .ran(let report):
            for use in report.usage.network { run.sink.record(.network(use)) }
            if answer.bytes.isEmpty { throw silence(report.verdict, complaint.bytes) }
            return answer.bytes
        }
    }

    private var spec: SandboxSpec {
        var policy = run.shop.options.policy
        policy.network = network
        policy.limits.memory = min(policy.limits.memory, memory)
        let program = SandboxMount(
            source: run.shop.options.program.string,
            target: Self.program,
            access: .readOnly
        )
        var spec = SandboxSpec(
            argv: [Self.program] + arguments,
            environment: StepEnvironment.standard(path: run.shop.options.path),
            mounts: mounts + [program],
            root: .hostToolchain(additional: run.shop.options.programLibraries),
            policy: policy
        )
        spec.tenant = .tool
        spec.purpose = SandboxPurpose(project: run.lease.build.request.project, step: nil)
        return spec
    }

    /// Why it said nothing.
    private func silence(_ verdict: Verdict, _ complaint: [UInt8]) -> Failure {
        if verdict == .oom { return Failure(.sourceTooLarge, .user, "\(work) took too much memory") }
        let text = String(decoding: complaint, as: UTF8.self)
        return Failure(.internal, .platform, "\(work) ended without a reply (\(verdict)) \(text)")
    }
}

/// The first bytes of what a sandbox prints.
private final class BoundedText: Sendable {
    private let limit: Int
    private let content = Mutex<[UInt8]>([])

    init(limit: Int) { self.limit = limit }

    var bytes: [UInt8] { content.withLock { $0 } }

    func append(_ bytes: UnsafeRawBufferPointer) {
        content.withLock { $0.append(contentsOf: bytes.prefix(max(0, limit - $0.count))) }
    }
}
