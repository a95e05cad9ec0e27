// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

internal import DrydockArchive
internal import DrydockModel
internal import DrydockOS
internal import DrydockPlugins
internal import DrydockSandbox
internal import Synchronization
internal import SystemPackage

/// Unpacks an uploaded archive: by this very program, in a sandbox, since the bytes are as hostile as any build.
struct Unpacking {
    /// The program inside.
    private static let program = "/drydock"
    let run: BuildRun
    /// The empty directory on the host that it unpacks into.
    let target: FilePath

    /// Unpacks the blob, or throws what was wrong with it.
    func unpack(_ digest: Digest) async throws -> UnpackSummary {
        guard let blob = try await run.shop.store.blob(digest) else {
            throw Failure(
                .sourceInvalid,
                .platform,
                "the uploaded archive \(digest) is no longer there",
                hint: "upload it again"
            )
        }
        let answer = BoundedText(limit: ArchiveUnpackCommand.longestReply)
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
            return await command.run(stdin: try blob.duplicate(), launcher: run.shop.launcher)
        }
        try run.stop.check()
        switch end.ending {
        case .notStarted(let error): throw OutcomeTable.failure(of: error, command: "unpacking the archive")
        case .ran(let report):
            return try Self.summary(answer.bytes, report.verdict, complaint: complaint.bytes)
        }
    }

    private var spec: SandboxSpec {
        var policy = run.shop.options.policy.withoutNetwork
        policy.limits.memory = min(policy.limits.memory, .mebibytes(512))
        var spec = SandboxSpec(
            argv: [Self.program, "unpack"] + ArchiveUnpackCommand.arguments(for: run.shop.options.sourceCaps),
            environment: StepEnvironment.standard(path: run.shop.options.path),
            mounts: [
                SandboxMount(
                    source: target.string,
                    target: InsidePath.source,
                    access: .readWrite,
                    execution: .denied
                ),
                SandboxMount(
                    source: run.shop.options.program.string,
                    target: Self.program,
                    access: .readOnly
                ),
            ],
            root: .hostToolchain(additional: run.shop.options.programLibraries),
            policy: policy
        )
        spec.tenant = .tool
        return spec
    }

    /// What the program said; when it said nothing, why.
    private static func summary(
        _ answer: [UInt8],
        _ verdict: Verdict,
        complaint: [UInt8]
    ) throws -> UnpackSummary {
        if answer.isEmpty {
            if verdict == .oom {
                throw Failure(.sourceTooLarge, .user, "unpacking the archive took too much memory")
            }
            let text = String(decoding: complaint, as: UTF8.self)
            throw Failure(
                .internal,
                .platform,
                "unpacking the archive ended without a reply (\(verdict)) \(text)"
            )
        }
        return try ArchiveUnpackCommand.summary(fromReply: answer)
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
