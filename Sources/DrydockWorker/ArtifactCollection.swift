// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

internal import DrydockArchive
internal import DrydockModel
internal import DrydockOS
internal import DrydockStore

/// Turns what the steps left in `$DRYDOCK_OUT` into artifacts, and finds what can be previewed.
struct ArtifactCollection {
    let run: BuildRun
    let plan: Plan
    let declared: StepSequence.Declared

    /// Stores every artifact and says so in the journal.
    ///
    /// Throws when something that was promised is not there.
    func collect(from workspace: Workspace) async throws -> BuildRun.Made {
        let selection = ArtifactSelection(asked: plan.artifacts, declared: declared.artifacts)
        let store = run.shop.store
        let stop = run.stop
        let limits = WalkLimits(bytes: plan.policy.limits.disk, fileSize: plan.policy.limits.fileSize)
        let (artifacts, summary) = try await Blocking.run {
            var artifacts: [Artifact] = []
            guard let out = try workspace.openOut() else { return (artifacts, CollectionSummary()) }
            let blobs = store.newBlobs()
            defer { blobs.discard() }
            let summary = try ArtifactCollector.collect(from: out, limits: limits) { file, read in
                guard let role = selection.role(of: file.path) else { return }
                artifacts.append(try Self.keep(file, role, in: blobs, unless: stop, read))
            }
            try stop.check()
            try blobs.commit()
            return (artifacts, summary)
        }
        try selection.requireAll(in: artifacts)
        if artifacts.isEmpty { try tellNothingMade() }
        run.sink.record(events: artifacts.map(Event.artifact))
        if !summary.passedOver.isEmpty {
            let text = "links passed over: " + summary.passedOver.joined(separator: ", ")
            run.sink.record(.log(LogLine(stream: .host, text: text)))
        }
        let preview = try preview(of: artifacts)
        if let preview { run.sink.record(.preview(preview)) }
        return BuildRun.Made(artifacts: artifacts, preview: preview)
    }

    /// A build that made nothing says so, and is none that succeeded where a step's `outputs` promised something.
    private func tellNothingMade() throws(Failure) {
        let hint = "what shall be kept has to be written below $DRYDOCK_OUT"
        if let step = plan.steps.first(where: { !$0.outputs.isEmpty }) {
            let promised = step.outputs.map { "'\($0)'" }.joined(separator: ", ")
            throw Failure(
                .artifactMissing,
                .user,
                "step \(step.id) says that it makes \(promised), and nothing was made",
                hint: hint
            )
        }
        run.sink.record(.notice(title: "Nothing was made", markdown: "The build has no artifacts: \(hint)."))
    }

    private static func keep(
        _ file: CollectedFile,
        _ role: ArtifactRole,
        in blobs: any BlobBatch,
        unless stop: StopSignal,
        _ read: ArtifactCollector.ReadChunk
    ) throws -> Artifact {
        let blob = try blobs.newBlob()
        defer { blob.discard() }
        var buffer = [UInt8](repeating: 0, count: 1 << 18)
        try stop.check()
        while case let count = try read(&buffer), count > 0 {
            try stop.check()
            try buffer.withUnsafeBytes { try blob.write(UnsafeRawBufferPointer(rebasing: $0[..<count])) }
        }
        let size = blob.size
        return Artifact(
            path: file.path,
            digest: try blob.finish(),
            size: size,
            role: role,
            executable: file.executable
        )
    }

    /// What was asked for; else what a plugin declared; else a site that plainly is one.
    private func preview(of artifacts: [Artifact]) throws -> PreviewReady? {
        guard let rule = plan.preview ?? declared.preview else { return evidentSite(artifacts) }
        guard let root = rule.root else {
            let text = "Previews of running programs are not possible yet; the artifacts are there."
            run.sink.record(.notice(title: "No preview", markdown: text))
            return nil
        }
        guard artifacts.contains(where: { root.contains($0.path) }) else {
            throw Failure(
                .artifactMissing,
                .user,
                "the preview's root '\(root)' is not among the artifacts",
                hint: "it is relative to $DRYDOCK_OUT; is it spelled as the steps write it?"
            )
        }
        return PreviewReady(deploy: .make(), root: root.prefix, spa: rule.spa)
    }

    private func evidentSite(_ artifacts: [Artifact]) -> PreviewReady? {
        for root in ["site", ""] {
            let page = root.isEmpty ? "index.html" : root + "/index.html"
            if artifacts.contains(where: { $0.path == page }) {
                return PreviewReady(deploy: .make(), root: root, spa: false)
            }
        }
        return nil
    }
}
