// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

internal import DrydockModel
internal import DrydockStore
internal import FoundationEssentials
internal import Glibc
internal import SystemPackage

/// What a build made, as files: where each one's content lies, and copies under their own names.
struct ArtifactFiles {
    let build: BuildID
    let artifacts: [Artifact]
    private let store: EmbeddedStore
    /// Names listed at the end of a build; the rest is counted.
    private let longest = 10

    init(of build: BuildID, in store: EmbeddedStore) async throws {
        self.build = build
        self.store = store
        artifacts = try await store.artifacts(build)
    }

    /// Copies them all below `out`, made if missing.
    func copy(to out: String) throws {
        do {
            for artifact in artifacts { try copy(artifact, to: out) }
        } catch let problem as CommandProblem {
            throw problem
        } catch {
            throw CommandProblem(.errored, "--out \(out)", why: "\(error)")
        }
    }

    /// The last lines of `drydock build`: where `copy(to:)` put them, or else how to come by them.
    func summary(out: String?, data: String?) -> [String] {
        guard !artifacts.isEmpty else { return ["nothing was made"] }
        let files = artifacts.count == 1 ? "1 file" : "\(artifacts.count) files"
        var lines = artifacts.prefix(longest).map { artifact in
            let place = out.map { FilePath($0.absolutePath).appending(artifact.path).string }
            return "  " + TerminalText.plain(place ?? artifact.path) + " (\(artifact.size))"
        }
        if artifacts.count > longest { lines.append("  and \(artifacts.count - longest) more") }
        if let out {
            lines.insert("made \(files), copied to \(out.absolutePath):", at: 0)
        } else {
            let place = data.map { " --data \($0)" } ?? ""
            lines.insert("made \(files):", at: 0)
            lines.append("copy with: drydock artifacts\(place) --out DIR \(build)")
        }
        return lines
    }

    /// The file with the content of `artifact`, for reading only.
    func content(_ artifact: Artifact) throws -> FilePath {
        guard let blob = try store.blobPath(artifact.digest) else {
            throw CommandProblem(.errored, artifact.path, why: "its content is no longer in the store")
        }
        return blob
    }

    private func copy(_ artifact: Artifact, to out: String) throws {
        let blob = try content(artifact)
        let target = FilePath(out).appending(artifact.path)
        let files = FileManager.default
        try files.createDirectory(
            atPath: target.removingLastComponent().string,
            withIntermediateDirectories: true
        )
        // Never a tree: the names are the project's choice, and what stands there may be the user's.
        guard unlink(target.string) == 0 || errno == ENOENT else {
            throw CommandProblem(
                .errored,
                "--out \(out)",
                why: "\(target) is in the way of an artifact",
                remedy: "choose an empty directory"
            )
        }
        try files.copyItem(atPath: blob.string, toPath: target.string)
        try files.setAttributes(
            [.posixPermissions: artifact.executable ? 0o755 : 0o644],
            ofItemAtPath: target.string
        )
    }
}
