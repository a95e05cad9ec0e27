// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

internal import DrydockArchive
internal import DrydockModel
internal import DrydockOS
internal import DrydockSandbox
internal import Synchronization
package import SystemPackage

/// A command of this very program that runs in a sandbox, since what it reads is as hostile as any build.
package struct ConfinedTool: Sendable {
    /// The program inside.
    private static let program = "/drydock"

    /// Where this program is, and what it needs to run inside.
    package struct Setting: Sendable {
        package var program: FilePath
        package var libraries: [String]
        /// `PATH` inside.
        package var path: String

        package init(program: FilePath, libraries: [String], path: String) {
            self.program = program
            self.libraries = libraries
            self.path = path
        }
    }

    let spec: SandboxSpec

    /// `arguments` are the subcommand and its own, `mounts` what it reads and fills.
    init(_ setting: Setting, _ arguments: [String], mounts: [SandboxMount], policy: Policy) {
        let program = SandboxMount(
            source: setting.program.string,
            target: Self.program,
            access: .readOnly
        )
        var spec = SandboxSpec(
            argv: [Self.program] + arguments,
            environment: StepEnvironment.standard(path: setting.path),
            mounts: mounts + [program],
            root: .hostToolchain(additional: setting.libraries),
            policy: policy
        )
        spec.tenant = .tool
        self.spec = spec
    }

    /// A directory of the host that a tool fills.
    static func filled(_ path: FilePath, at target: String) -> SandboxMount {
        SandboxMount(source: path.string, target: target, access: .readWrite, execution: .denied)
    }

    /// How it ended, and the beginnings of what it printed.
    struct End {
        let ending: CommandEnd
        let answer: [UInt8]
        let complaint: [UInt8]
    }

    /// Runs it, for its policy's total time at most.
    func run(
        _ launcher: any SandboxLauncher,
        purpose: SandboxPurpose? = nil,
        clock: any MonotonicClock,
        control: SandboxControl,
        stdin: consuming OwnedDescriptor
    ) async -> End {
        let answer = BoundedText(limit: ToolReply.longest)
        let complaint = BoundedText(limit: 4_096)
        var spec = spec
        spec.purpose = purpose
        let command = SandboxedCommand(
            spec: spec,
            clock: clock,
            deadline: clock.now.advanced(by: spec.limits.total),
            control: control,
            onOutput: { stream, bytes in (stream == .out ? answer : complaint).append(bytes) }
        )
        let end = await command.run(stdin: stdin, launcher: launcher)
        return End(ending: end, answer: answer.bytes, complaint: complaint.bytes)
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
