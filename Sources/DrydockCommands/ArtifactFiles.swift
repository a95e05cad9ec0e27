// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

internal import DrydockModel
internal import DrydockOS
internal import DrydockStore
internal import Glibc
internal import SystemPackage

/// What a build made, as files: copies under their own names, and the content of one.
struct ArtifactFiles {
    let build: BuildID
    let artifacts: [Artifact]
    private let store: any Store
    /// Names listed at the end of a build; the rest is counted.
    private let longest = 10

    init(of build: BuildID, in store: any Store) async throws {
        self.build = build
        self.store = store
        artifacts = try await store.artifacts(build)
    }

    /// Copies them all below `out`, made if missing.
    func copy(to out: String) async throws {
        for artifact in artifacts { try await copy(artifact, to: out) }
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

    /// Writes the content of the artifact `path` to standard output, as it is.
    func print(_ path: String) async throws {
        guard let artifact = artifacts.first(where: { $0.path == path }) else {
            throw CommandProblem(
                .errored,
                path,
                why: "\(build) made no such file",
                remedy: "`drydock artifacts \(build)` lists what it made"
            )
        }
        guard isatty(FileDescriptor.standardOutput.rawValue) == 0 else {
            throw CommandProblem(
                .usage,
                path,
                why: "what a build made is not for a terminal, which may take it for commands",
                remedy: "redirect it to a file, or pipe it to `less`"
            )
        }
        let source = try await content(artifact)
        do throws(Errno) {
            _ = try source.withDescriptor { source throws(Errno) in
                try FileContents.copy(from: source, to: .standardOutput, atMost: .max)
            }
        } catch {
            throw CommandProblem(.outputLost, "standard output", why: "it takes no more: \(error)")
        }
    }

    private func content(_ artifact: Artifact) async throws -> OwnedDescriptor {
        guard let blob = try await store.blob(artifact.digest) else {
            throw CommandProblem(.errored, artifact.path, why: "its content is no longer in the store")
        }
        return try blob.duplicate()
    }

    private func copy(_ artifact: Artifact, to out: String) async throws {
        let source = try await content(artifact)
        let target = FilePath(out).appending(artifact.path)
        do throws(Errno) {
            try makeDirectories(target.removingLastComponent(), permissions: 0o755)
            // Never a tree: the names are the project's choice, and what stands there may be the user's.
            guard unlink(target.string) == 0 || errno == ENOENT else {
                throw errno == EISDIR ? .fileExists : Errno.current
            }
            try Self.copy(source, to: target, permissions: artifact.executable ? 0o755 : 0o644)
        } catch {
            throw CommandProblem(
                .errored,
                "--out \(out)",
                why: error == .fileExists
                    ? "\(target) is in the way of an artifact" : "\(target) can not be written: \(error)",
                remedy: error == .noSpace
                    ? "choose a directory with more room"
                    : "choose an empty directory that this user may write to"
            )
        }
    }

    private static func copy(
        _ source: borrowing OwnedDescriptor,
        to target: FilePath,
        permissions: UInt32
    ) throws(Errno) {
        let made = try OwnedDescriptor(opening: target, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW)
        try source.withDescriptor { source throws(Errno) in
            try made.withDescriptor { made throws(Errno) in
                try FileContents.copy(from: source, to: made, atMost: .max)
                try FileContents.setPermissions(made, permissions)
            }
        }
    }
}
