// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

internal import DrydockModel
internal import DrydockOS
internal import DrydockStore
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
        for artifact in artifacts { try copy(artifact, to: out) }
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
        do throws(Errno) {
            try Self.makeDirectory(target.removingLastComponent())
            // Never a tree: the names are the project's choice, and what stands there may be the user's.
            guard unlink(target.string) == 0 || errno == ENOENT else {
                throw errno == EISDIR ? .fileExists : Errno(rawValue: errno)
            }
            try Self.copy(blob, to: target, permissions: artifact.executable ? 0o755 : 0o644)
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

    /// Makes it, and what of its parents is missing.
    private static func makeDirectory(_ path: FilePath) throws(Errno) {
        guard !path.isEmpty, mkdir(path.string, 0o755) != 0 else { return }
        let reason = Errno(rawValue: errno)
        if reason == .noSuchFileOrDirectory {
            try makeDirectory(path.removingLastComponent())
            guard mkdir(path.string, 0o755) == 0 || errno == EEXIST else { throw Errno(rawValue: errno) }
        } else if reason != .fileExists {
            throw reason
        }
    }

    private static func copy(_ blob: FilePath, to target: FilePath, permissions: UInt32) throws(Errno) {
        let made = try open(target, O_WRONLY | O_CREAT | O_EXCL)
        let source = try open(blob, O_RDONLY)
        try source.withDescriptor { source throws(Errno) in
            try made.withDescriptor { made throws(Errno) in
                try FileContents.copy(from: source, to: made, atMost: .max)
                try FileContents.setPermissions(made, permissions)
            }
        }
    }

    private static func open(_ path: FilePath, _ flags: Int32) throws(Errno) -> OwnedDescriptor {
        let opened = Glibc.open(path.string, flags | O_CLOEXEC | O_NOFOLLOW, 0o644)
        guard opened >= 0 else { throw Errno(rawValue: errno) }
        return OwnedDescriptor(taking: FileDescriptor(rawValue: opened))
    }
}
