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

    /// Reading and writing another one is a matter of seconds; a tree that takes longer is none to keep.
    private static let patience = Duration.seconds(120)

    private var project: ProjectName { run.lease.build.request.project }

    /// What the last build of the project that succeeded left; nil where there is nothing, or the operator keeps nothing.
    func newest() async throws -> CacheGeneration? {
        guard let caches = run.shop.options.caches else { return nil }
        do {
            return try await Blocking.run { try caches.newest(of: project) }
        } catch {
            warn("the project's cache could not be read", error)
            return nil
        }
    }

    /// Keeps what the build, which is about to succeed, left in the workspace.
    func keep(_ workspace: Workspace) async {
        guard let caches = run.shop.options.caches, caches.limits.size.bytes > 0 else { return }
        do {
            let kept = try await Blocking.run { () -> ProjectCaches.Kept? in
                guard try workspace.hasNewCache() else { return nil }
                return try caches.keep(project) { target in
                    let limits = try limits(of: caches, in: target)
                    let copied = try workspace.copyCache(into: target, limits: limits) ?? CopySummary()
                    return (copied.files, copied.bytes)
                }
            }
            guard case .kept(let files, let size) = kept else { return }
            let text = "\(files) \(files == 1 ? "file" : "files"), \(size.bytes) bytes of $DRYDOCK_CACHE"
            tell("kept for the next build of this project: \(text)")
            await makeRoom(caches)
        } catch let error as CopyError {
            tell("$DRYDOCK_CACHE was not kept: \(error.words)")
        } catch {
            tell("$DRYDOCK_CACHE was not kept: see the worker's log")
            warn("a project's cache could not be kept", error)
        }
    }

    /// What may be kept, and no more than leaves the disk what shall stay free.
    private func limits(of caches: ProjectCaches, in target: DirectoryHandle) throws -> WalkLimits {
        let free = try target.freeSpace()
        let room = ByteCount(free.available - DiskWatch.floor(of: free.total))
        let size = min(caches.limits.size, room)
        return WalkLimits(entries: caches.limits.entries, bytes: size, fileSize: size, time: Self.patience)
    }

    /// Lets others go that were used longest ago, where all take too much now.
    private func makeRoom(_ caches: ProjectCaches) async {
        do {
            try await Blocking.run { _ = try caches.shrink() }
        } catch {
            warn("a project's cache could not be removed", error)
        }
    }

    private func tell(_ text: String) { run.sink.record(.log(LogLine(stream: .host, text: text))) }

    private func warn(_ what: String, _ error: any Error) {
        run.shop.logger.warning("\(what)", metadata: ["project": "\(project)", "error": "\(error)"])
    }
}

extension CopyError {
    /// Why a cache is none to keep.
    fileprivate var words: String {
        switch self {
        case .walk(.tooManyEntries(let limit)): "it holds more than \(limit) files and directories"
        case .walk(.tooManyBytes(let limit)), .walk(.fileTooLarge(_, _, let limit)):
            "it is larger than the \(limit) that may be kept of a project (project_cache.size, or what is free)"
        case .walk(.tooDeep(let path, let limit)): "\(path) is more than \(limit) directories deep"
        case .walk(.tookTooLong): "it takes too long to read"
        case .walk(.failed(let path, let error)), .writeFailed(let path, let error): "\(path): \(error)"
        case .linkLeadsOut(let path, _), .special(let path, _): "\(path) is no file"
        }
    }
}
