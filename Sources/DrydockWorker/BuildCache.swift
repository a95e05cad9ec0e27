// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

internal import DrydockModel
internal import DrydockOS
internal import DrydockStore
internal import Logging

/// What a build finds in `$DRYDOCK_CACHE`, and leaves there for the next build of its project.
///
/// Whatever goes wrong with it is told, and ends no build: the next one only takes longer.
struct BuildCache: Sendable {
    let run: BuildRun
    /// The root file system of the build's steps; nil = the machine's own.
    var root: Digest?

    /// Reading and writing another one is a matter of seconds; a tree that takes longer is none to keep.
    private static let patience = Duration.seconds(60)
    /// Files and directories that the file system has to go on having room for.
    private static let inodesLeft: Int64 = 20_000

    private var request: BuildRequest { run.lease.build.request }
    private var project: ProjectName { request.project }

    /// Nil where the operator keeps nothing, and where nobody could name the project again.
    private var caches: ProjectCaches? {
        request.session.isInvented && project.rawValue == request.session.rawValue
            ? nil : run.shop.options.caches
    }

    /// What the last build of the project that succeeded left; nil where there is nothing.
    ///
    /// Where it is copied it counts as the build's own, of which it may take half.
    func newest(disk limit: ByteCount) async throws -> GivenCache? {
        guard let caches else { return nil }
        let stop = run.stop
        do {
            return try await Blocking.run {
                try caches.newest(of: project, in: root).map { generation in
                    GivenCache(generation, most: ByteCount(limit.bytes / 2)) { stop.reason != nil }
                }
            }
        } catch {
            warn("the project's cache could not be read", error)
            return nil
        }
    }

    /// Says so where the build begins without what the last one left.
    func tellBeginning(of workspace: Workspace) {
        guard let problem = workspace.cacheProblem, problem != .stopped else { return }
        tell("$DRYDOCK_CACHE begins empty: \(problem.words)")
    }

    /// What the build, which is about to succeed, left in the workspace, to be kept once it has; nil where that is nothing new.
    func prepare(_ workspace: Workspace) async -> NewCache? {
        guard let caches else { return nil }
        do {
            let new = try await Blocking.run { () -> (isWanted: Bool, NewCache?) in
                guard try workspace.hasNewCache() else { return (false, nil) }
                let new = try caches.prepare(project, in: root) { target in
                    let copied = try workspace.copyCache(into: target, try bounds(caches, target))
                    return (copied?.files ?? 0, ByteCount(copied?.size ?? 0))
                }
                return (true, new)
            }
            if let cache = new.1 {
                let files = "\(cache.files) \(cache.files == 1 ? "file" : "files")"
                tell("kept for the next build of this project: \(files), \(cache.size) of $DRYDOCK_CACHE")
            } else if new.isWanted {
                tell("$DRYDOCK_CACHE was not kept: another build of the project keeps its own at this moment")
            }
            return new.1
        } catch let error as CopyError {
            if error != .stopped { tell("$DRYDOCK_CACHE was not kept: \(error.words)") }
        } catch {
            tell("$DRYDOCK_CACHE was not kept: see the worker's log")
            warn("a project's cache could not be kept", error)
        }
        return nil
    }

    /// Makes it what the project's next build finds, or leaves everything as it was.
    func settle(_ new: NewCache?, isKept: Bool) async {
        guard let new else { return }
        do {
            try await Blocking.run { isKept ? try new.keep() : try new.discard() }
        } catch {
            warn("a project's cache could not be kept", error)
        }
    }

    /// What may be kept, and no more than leaves the disk what shall stay free.
    private func bounds(_ caches: ProjectCaches, _ target: DirectoryHandle) throws -> WorkspaceCache.Bounds {
        let free = try target.freeSpace()
        var limits = WalkLimits(bytes: ByteCount(.max), fileSize: ByteCount(.max), time: Self.patience)
        // Some file systems make them as they need them, and say none.
        let inodes = free.inodes == 0 ? Int64.max : max(0, free.inodes - Self.inodesLeft)
        limits.entries = Int(min(Int64(caches.limits.entries), inodes))
        let stop = run.stop
        return WorkspaceCache.Bounds(
            limits: limits,
            size: caches.limits.size,
            written: DiskWatch.room(of: free),
            isStopped: { stop.reason != nil }
        )
    }

    private func tell(_ text: String) { run.sink.record(.log(LogLine(stream: .host, text: text))) }

    private func warn(_ what: String, _ error: any Error) {
        run.shop.logger.warning("\(what)", metadata: ["project": "\(project)", "error": "\(error)"])
    }
}

extension CopyError {
    /// Why a cache is none to copy.
    fileprivate var words: String {
        switch self {
        case .walk(.tooManyEntries(let limit)): "it holds more than \(limit) files and directories"
        case .tooLarge(let limit): "it takes more than \(limit)"
        case .noRoom: "the disk is nearly full"
        case .walk(.tooManyBytes), .walk(.fileTooLarge): "it is too large"
        case .walk(.tooDeep(let path, let limit)): "\(path) is more than \(limit) directories deep"
        case .walk(.tookTooLong): "it takes too long to read"
        case .walk(.failed(let path, let error)), .writeFailed(let path, let error): "\(path): \(error)"
        case .linkLeadsOut(let path, _), .special(let path, _): "\(path) is no file"
        case .stopped: "the build was ended"
        }
    }
}
