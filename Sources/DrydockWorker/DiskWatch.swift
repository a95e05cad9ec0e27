// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

internal import DrydockModel
internal import DrydockOS

/// Looks now and then at how much a workspace takes up, and stops the build that takes too much.
///
/// A look walks the tree, so the pauses grow with it: looking takes about one part in twenty of a core at most. What is
/// written in between is bounded by the largest single file, and by how fast the disk is.
struct DiskWatch: Sendable {
    private static let shortestPause = Duration.milliseconds(250)

    let workspace: Workspace
    let limit: ByteCount
    let stop: StopSignal

    /// Looks until the task is cancelled or the limit was passed.
    func run() async {
        while true {
            let clock = ContinuousClock()
            let started = clock.now
            // A look that fails says nothing: the tree changes under it. The next one may go through.
            let used = (try? await Blocking.run { try Self.used(workspace) }) ?? 0
            if used > limit.bytes {
                return stop.stop(
                    Failure(
                        .diskFull,
                        .user,
                        "the build wrote more than the \(limit) it may have on disk",
                        hint:
                            "write less, or raise limits.disk in drydock.yaml, as far as the operator allows"
                    )
                )
            }
            let pause = max(Self.shortestPause, (clock.now - started) * 20)
            guard (try? await Task.sleep(for: pause)) != nil else { return }
        }
    }

    /// Bytes on disk, as far as the walk got: a build can make it end early by moving things about.
    private static func used(_ workspace: Workspace) throws -> Int64 {
        let limits = WalkLimits(
            entries: .max,
            bytes: ByteCount(.max),
            fileSize: ByteCount(.max),
            depth: 1_000,
            time: .seconds(60)
        )
        var walker = try TreeWalker(root: try workspace.open(), limits: limits)
        var used: Int64 = 0
        while let entry = try? walker.next() {
            if entry.kind == .file { used += entry.status.allocated }
        }
        return used
    }
}
