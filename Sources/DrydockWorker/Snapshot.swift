// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

internal import DrydockArchive
internal import DrydockModel
internal import DrydockOS
internal import DrydockSandbox
internal import Logging
internal import SystemPackage

/// The frozen input tree of one attempt: made once, only read from then on, removed with the attempt.
struct Snapshot: Sendable {
    /// The directory that all snapshots lie in.
    private let parent: DirectoryHandle
    private let name: String
    let path: FilePath
    /// Where in it the project is.
    private(set) var directory: RelativePath
    /// Of its source, where that comes from git.
    private(set) var commit: String?

    /// Makes the snapshot of a build's source, and shows that as the build's first stage.
    static func make(for run: BuildRun) async throws -> Snapshot {
        let stage = StageID(rawValue: "source")
        run.sink.record(.stage(StageChange(stage: stage, op: .start, title: "Preparing the source")))
        let options = run.shop.options
        let snapshot = Snapshot(
            parent: try await Blocking.run { () throws(Errno) in try DirectoryHandle(path: options.snapshots)
            },
            name: run.lease.attempt.rawValue,
            path: options.snapshots.appending(run.lease.attempt.rawValue),
            directory: run.lease.build.request.directory
        )
        do {
            let (summary, commit) = try await snapshot.fill(for: run)
            try await Blocking.run { _ = try snapshot.openProject() }
            run.sink.record(.log(LogLine(stream: .host, stage: stage, text: summary)))
            run.sink.record(.stage(StageChange(stage: stage, op: .end, status: .ok)))
            var filled = snapshot
            filled.commit = commit
            return filled
        } catch {
            run.sink.record(.stage(StageChange(stage: stage, op: .end, status: .failed)))
            await Blocking.run { snapshot.discard(logger: run.shop.logger) }
            throw error
        }
    }

    /// A snapshot of a directory of this machine under a name of its own, for looking at it without a build.
    static func make(
        of path: String,
        _ project: RelativePath,
        name: String,
        shop: Workshop
    ) async throws -> Snapshot {
        let options = shop.options
        let snapshot = Snapshot(
            parent: try await Blocking.run { () throws(Errno) in try DirectoryHandle(path: options.snapshots)
            },
            name: name,
            path: options.snapshots.appending(name),
            directory: project
        )
        do {
            try await Blocking.run {
                let directory = try snapshot.makeDirectory(name, of: nil)
                _ = try copy(path, into: directory, options.sourceLimits)
                _ = try snapshot.openProject()
            }
            return snapshot
        } catch {
            await Blocking.run { snapshot.discard(logger: shop.logger) }
            throw error
        }
    }

    /// Fills the empty snapshot and says with what, for people; and which commit that is, where it is one.
    private func fill(for run: BuildRun) async throws -> (String, commit: String?) {
        let request = run.lease.build.request
        let options = run.shop.options
        if request.trigger != .cli { try options.allowed.check(request.source) }
        switch request.source {
        case .archive(let digest):
            try await Blocking.run { _ = try makeDirectory(name, of: options.owner) }
            let summary = try await Unpacking(run: run, target: path).unpack(digest)
            return ("\(summary.files) files, \(summary.bytes.bytes) bytes", nil)
        case .path(let path):
            let text = try await Blocking.run {
                try Self.copy(path, into: try makeDirectory(name, of: nil), options.sourceLimits)
            }
            return (text, nil)
        case .git(let url, let revision):
            let repository = name + ".git"
            try await Blocking.run { _ = try makeDirectory(name, of: options.owner) }
            let cleanUp = { @Sendable in
                // the next worker removes what is left
                _ = try? TreeRemover.remove(repository, in: parent)
            }
            let summary = try await Blocking.cleaning(
                up: cleanUp,
                after: {
                    try await Blocking.run {
                        _ = try makeDirectory(repository, of: options.owner, permissions: 0o700)
                    }
                    let fetching = Fetching(
                        run: run,
                        target: path,
                        repository: options.snapshots.appending(repository)
                    )
                    return try await fetching.fetch(url, revision)
                }
            )
            let text = "git commit \(summary.commit), \(summary.files) files, \(summary.bytes.bytes) bytes"
            return (text, "\(summary.commit)")
        }
    }

    /// Makes a directory beside the other snapshots, for whoever fills it.
    ///
    /// Blocks.
    private func makeDirectory(
        _ name: String,
        of owner: FileOwner?,
        permissions: UInt32 = 0o755
    ) throws(Errno) -> DirectoryHandle {
        let bytes = Array(name.utf8)[...]
        let made = try parent.makeDirectory(bytes, permissions: permissions)
        if let owner { try parent.setOwner(of: bytes, owner) }
        return made
    }

    private static func copy(
        _ path: String,
        into directory: DirectoryHandle,
        _ limits: WalkLimits
    ) throws -> String {
        let summary = try LocalSource.copy(FilePath(path), into: directory, limits: limits)
        let leftOut =
            summary.leftOut == 0 ? "" : ", left out: " + summary.examplesLeftOut.joined(separator: ", ")
        return "\(summary.files) files, \(summary.bytes) bytes" + leftOut
    }

    /// The directory that the project is in; throws the project's failure where there is none, or a link stands in its way.
    func openProject() throws -> DirectoryHandle {
        do throws(Errno) {
            return try open().openDirectory(TreePath(of: directory))
        } catch .noSuchFileOrDirectory {
            throw unusable("is not in the source", "directories are named from the top of the source")
        } catch .tooManySymbolicLinkLevels {
            throw unusable("is, or lies behind, a symbolic link", "name the directory that it leads to")
        } catch .notDirectory {
            throw unusable("is no directory", "name the directory that the project is in")
        }
    }

    private func unusable(_ why: String, _ hint: String) -> Failure {
        Failure(.sourceInvalid, .user, "the directory '\(directory)' \(why)", hint: hint)
    }

    /// The same snapshot with the project in its only folder: what an archive of `name-1.0/…` holds; nil where there is no such folder.
    func inOnlyFolder() throws -> Snapshot? {
        guard directory == .top else { return nil }
        let top = try open()
        let folders = try top.sortedNames().filter { name in
            try !name.hasPrefix(".") && top.status(of: Array(name.utf8)[...]).kind == .directory
        }
        guard folders.count == 1, let path = try? RelativePath(parsing: folders[0]) else { return nil }
        var inner = self
        inner.directory = path
        return inner
    }

    func open() throws(Errno) -> DirectoryHandle {
        try parent.openDirectory(TreePath.root.appending(name.utf8))
    }

    /// To be looked at and not run: for drivers that recognise and plan.
    var mounts: [SandboxMount] {
        [
            SandboxMount(
                source: path.string,
                target: InsidePath.source,
                access: .readOnly,
                execution: .denied
            )
        ]
    }

    /// Whether `path` is a regular file below `directory`, which no link leads out of.
    static func isFile(_ path: String, in directory: DirectoryHandle) -> Bool {
        reading(path, in: directory) { _ in true } ?? false
    }

    /// The content of such a file; nil where there is none, or where it is too large to be somebody's source.
    static func contents(of path: String, in directory: DirectoryHandle) -> [UInt8]? {
        reading(path, in: directory) { try? FileContents.all(of: $0, atMost: largestShown) }
    }

    private static func reading<Answer>(
        _ path: String,
        in directory: DirectoryHandle,
        _ body: (FileDescriptor) -> Answer?
    ) -> Answer? {
        let plain = path.hasPrefix("./") ? path.dropFirst(2) : path[...]
        guard let path = try? TreePath(parsing: plain.utf8), let file = try? directory.openFile(path, .read)
        else { return nil }
        return file.withDescriptor { (try? fileStatus(of: $0).kind) == .file ? body($0) : nil }
    }

    private static let largestShown = 4 << 20

    /// The names at the top of the project, sorted.
    func topLevelNames() throws -> [String] {
        try openProject().sortedNames()
    }

    /// Removes it.
    ///
    /// Blocks.
    func discard(logger: Logger) {
        do {
            try TreeRemover.remove(name, in: parent)
        } catch {
            // What is left is found by name and removed when the worker starts again.
            logger.error(
                "a snapshot could not be removed",
                metadata: ["snapshot": "\(path)", "error": "\(error)"]
            )
        }
    }
}
