// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

package import DrydockArchive
package import DrydockModel
package import DrydockOS
internal import DrydockPlugins
package import DrydockSandbox
package import DrydockStore
package import SystemPackage

/// Makes a root file system of a directory or an image, for projects to ask for by its name.
package struct RootImport: Sendable {
    let roots: RootFileSystems
    let launcher: any SandboxLauncher
    let tool: ConfinedTool.Setting
    /// What sandboxes get that unpack.
    let policy: Policy
    /// Whom they write as; nil = this process's user.
    let owner: FileOwner?

    /// What came of it.
    package struct Result: Sendable {
        package var entry: RootFileSystems.Entry
        /// Devices and the like that were left out, and the first few of them.
        package var skipped = 0
        package var examples: [String] = []
    }

    /// What is imported, as `read` finds it.
    package enum Source: Sendable {
        /// A tree, copied as it is.
        case directory(FilePath)
        /// An image's layers, one over the other.
        case image(ImageLayout, ImagePlan)

        /// Looks at what `path` is; `tag` names one of several images.
        ///
        /// Throws `sourceInvalid` for what is neither.
        package static func read(_ path: FilePath, tag: String?) throws(Failure) -> Source {
            let directory: DirectoryHandle
            do throws(Errno) {
                directory = try DirectoryHandle(path: path)
            } catch {
                throw RootImport.unreadable(error)
            }
            if let layout = try ImageLayout(directory) { return .image(layout, try layout.plan(tag: tag)) }
            if let tag {
                throw Failure(
                    .sourceInvalid,
                    .user,
                    "it is no OCI image layout, and holds nothing that is called '\(tag)'",
                    hint: "leave --tag out"
                )
            }
            return .directory(path)
        }
    }

    package init(
        _ roots: RootFileSystems,
        launcher: any SandboxLauncher,
        tool: ConfinedTool.Setting,
        policy: Policy,
        owner: FileOwner?
    ) {
        self.roots = roots
        self.launcher = launcher
        self.tool = tool
        self.owner = owner
        var policy = policy.withoutNetwork
        policy.limits.memory = .mebibytes(512)
        policy.limits.fileSize = RootTree.caps.fileSize
        policy.limits.total = .seconds(3_600)
        self.policy = policy
    }

    /// Imports `source`, called `path` by the operator, as `name`; `progress` is told what goes on.
    ///
    /// Throws `RootFileSystems.Busy`, and `Failure` for what is wrong with the source.
    package func run(
        _ source: Source,
        as name: RootName,
        from path: String,
        progress: @Sendable (String) -> Void
    ) async throws -> Result {
        let new = try await Blocking.run { try roots.begin() }
        do {
            var environment: [String: String] = [:]
            let skipped: (count: Int, examples: [String])
            switch source {
            case .directory(let path):
                skipped = try await Blocking.run { try RootTree.copy(path, into: new.directory) }
            case .image(let layout, let plan):
                environment = plan.environment
                skipped = try await unpack(layout, plan, into: new, progress)
            }
            progress("working out the digest")
            let variables = environment
            let sealed = try await Blocking.run { try RootTree.seal(new.directory, variables) }
            let entry = RootFileSystems.Entry(
                name: name,
                digest: sealed.digest,
                source: path,
                imported: .now(),
                files: sealed.files,
                size: sealed.size
            )
            try await Blocking.run { try new.keep(entry, environment: variables) }
            return Result(entry: entry, skipped: skipped.count, examples: skipped.examples)
        } catch {
            // The first error is the one to tell; the next import clears up what is left.
            try? await Blocking.run { try new.discard() }
            throw error
        }
    }

    // MARK: Layers

    private func unpack(
        _ layout: ImageLayout,
        _ plan: ImagePlan,
        into new: NewRoot,
        _ progress: @Sendable (String) -> Void
    ) async throws -> (Int, [String]) {
        // The sandbox's user writes there; `seal` takes it back.
        if let owner { try new.directory.withDescriptor { try FileContents.setOwner($0, owner) } }
        var caps = RootTree.caps
        var skipped = 0
        var examples: [String] = []
        for (index, layer) in plan.layers.enumerated() {
            progress("layer \(index + 1) of \(plan.layers.count), \(layer.size)")
            let summary: LayerSummary
            do {
                summary = try await unpack(layer, of: layout, into: new, caps)
            } catch var failure as Failure {
                failure.message = "layer \(index + 1) of \(plan.layers.count): \(failure.message)"
                throw failure
            }
            guard summary.content == layer.content else {
                throw Failure(
                    .sourceInvalid,
                    .user,
                    "layer \(index + 1) unpacks to \(summary.content), and the image says \(layer.content)",
                    hint: "copy the image again"
                )
            }
            caps.entries = max(1, caps.entries - summary.entries)
            caps.bytes = ByteCount(max(1, caps.bytes.bytes - summary.bytes.bytes))
            skipped += summary.skipped
            examples += summary.examples
        }
        return (skipped, Array(examples.prefix(5)))
    }

    private func unpack(
        _ layer: ImageLayer,
        of layout: ImageLayout,
        into new: NewRoot,
        _ caps: ArchiveCaps
    ) async throws -> LayerSummary {
        let work = "unpacking the layer"
        let confined = ConfinedTool(
            tool,
            ["unpack-layer"] + LayerUnpackCommand.arguments(for: caps),
            mounts: [ConfinedTool.filled(new.path, at: InsidePath.source)],
            policy: policy
        )
        let blob = try await Blocking.run { try layout.open(layer).release() }
        let end = await confined.run(
            launcher,
            clock: ContinuousClock(),
            control: SandboxControl(),
            stdin: OwnedDescriptor(taking: blob)
        )
        switch end.ending.ending {
        case .notStarted(let error): throw OutcomeTable.failure(of: error, command: work)
        case .ran(let report):
            if end.answer.isEmpty {
                let text = String(decoding: end.complaint, as: UTF8.self)
                throw Failure(
                    .internal,
                    .platform,
                    "\(work) ended without a reply (\(report.verdict)) \(text)"
                )
            }
            return try LayerUnpackCommand.summary(fromReply: end.answer)
        }
    }

    private static func unreadable(_ error: Errno) -> Failure {
        let why: String
        var hint = "name a directory that this user may read"
        switch error {
        case .noSuchFileOrDirectory: why = "there is no such directory"
        case .notDirectory:
            why = "it is no directory"
            hint = "unpack an archive first: `mkdir image && tar -C image -xf FILE`"
        case .permissionDenied: why = "permission denied"
        default: why = "\(error)"
        }
        return Failure(.sourceInvalid, .user, why, hint: hint)
    }
}
