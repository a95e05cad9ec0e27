// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

internal import DrydockArchive
internal import DrydockModel
internal import DrydockSandbox
internal import SystemPackage

/// Unpacks an uploaded archive in a sandbox.
struct Unpacking {
    let run: BuildRun
    /// The empty directory on the host that it unpacks into; the sandbox's user may write there.
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
        let tool = SourceTool(
            run: run,
            work: "unpacking the archive",
            arguments: ["unpack"] + ArchiveUnpackCommand.arguments(for: run.shop.options.sourceCaps),
            mounts: [ConfinedTool.filled(target, at: InsidePath.source)]
        )
        return try ArchiveUnpackCommand.summary(fromReply: try await tool.reply { try blob.duplicate() })
    }
}
