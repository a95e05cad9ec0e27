// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

package import DrydockModel
package import DrydockOS
internal import DrydockSandbox

/// Looks now and then at what a build takes up on the disk, and stops one that takes too much: where there are no images
/// (`WorkspaceDisk`).
///
/// Counts directories and inodes too, and files that are only open; a build that hides from the measure, while the disk is
/// nearly full, is stopped as one that has taken it. A look costs what there is to look at, so the pauses grow with it:
/// looking takes about one part in twenty of a core at most. What is written in between is bounded by nothing but how fast
/// the disk is: a watch is no limit.
package struct DiskWatch: Sendable {
    private static let shortestPause = Duration.milliseconds(250)
    /// So many looks in a row may not see all before the build counts as one that hides.
    private static let mostBlindLooks = 40
    /// Files, directories and links in all.
    private static let mostEntries = 1_000_000
    /// What shall stay free for the journal, the database and everybody else: this, or one part in fifty.
    static func floor(of total: Int64) -> Int64 { min(256 << 20, total / 50) }
    /// What may be written of what is free.
    static func room(of space: (total: Int64, available: Int64, inodes: Int64)) -> ByteCount {
        ByteCount(space.available - floor(of: space.total))
    }
    /// What a build ends with that has taken what shall stay free.
    static let nearlyFull = Failure(
        .diskFull,
        .platform,
        "the disk that builds are made on is nearly full",
        hint: "free some of it, or give Drydock's data directory a larger one"
    )

    private let workspace: Workspace
    private let limit: ByteCount
    private let clock: any MonotonicClock
    private let onBreach: @Sendable (Failure) -> Void

    /// A watch that calls `onBreach` once, when `workspace` takes up more than `limit` or can not be measured.
    package init(
        workspace: Workspace,
        limit: ByteCount,
        clock: any MonotonicClock = ContinuousClock(),
        onBreach: @escaping @Sendable (Failure) -> Void
    ) {
        self.clock = clock
        self.workspace = workspace
        self.limit = limit
        self.onBreach = onBreach
    }

    /// Looks until the task is cancelled or the limit was passed.
    package func run() async {
        var blindLooks = 0
        while true {
            let started = clock.now
            // A look that fails says nothing: the tree changes under it. The next one may get through.
            let blind = Look(used: 0, entries: 0, isWhole: false)
            let look = (try? await Blocking.run { try takeLook() }) ?? blind
            blindLooks = look.isWhole ? 0 : blindLooks + 1
            if let failure = judge(look, blindLooks: blindLooks) { return onBreach(failure) }
            let pause = max(Self.shortestPause, started.duration(to: clock.now) * 20)
            guard (try? await clock.pause(for: pause)) != nil else { return }
        }
    }

    /// What one look saw.
    private struct Look {
        var used: Int64
        var entries: Int
        var isWhole: Bool
        var isDiskNearlyFull = false
    }

    private func judge(_ look: Look, blindLooks: Int) -> Failure? {
        if look.used > limit.bytes {
            return Failure(
                .diskFull,
                .user,
                "the build wrote more than the \(limit) it may have on disk",
                hint: "write less, or raise limits.disk in drydock.yaml, as far as the operator allows"
            )
        }
        if look.entries > Self.mostEntries {
            return Failure(
                .diskFull,
                .user,
                "the build made more than \(Self.mostEntries) files and directories",
                hint: "pack them, or remove those that are no longer used"
            )
        }
        if blindLooks > Self.mostBlindLooks {
            return Failure(
                .diskFull,
                .user,
                "the build's files can not be measured",
                hint: "directories have to be readable by their owner, and less than 256 deep"
            )
        }
        // Not everybody's end: one that plainly has little is not what fills the disk.
        guard look.isDiskNearlyFull, !look.isWhole || look.used > limit.bytes / 8 else { return nil }
        return Self.nearlyFull
    }

    private func takeLook() throws -> Look {
        let root = try workspace.open()
        let tree = try TreeMeter.measure(root, mostEntries: Self.mostEntries)
        let open = UnlinkedFiles.bytes(below: workspace.treePath, seenAs: InsidePath.workspace)
        var look = Look(used: tree.bytes + open, entries: tree.entries, isWhole: tree.isWhole)
        let free = try root.freeSpace()
        look.isDiskNearlyFull = free.available < Self.floor(of: free.total)
        return look
    }
}
