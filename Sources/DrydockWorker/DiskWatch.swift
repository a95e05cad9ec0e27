// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

package import DrydockModel
internal import DrydockOS

/// Looks now and then at how much a workspace takes up, and stops the build that takes too much.
///
/// A look walks the tree, so the pauses grow with it: looking takes about one part in twenty of a core at most. What is
/// written in between is bounded by the largest single file, and by how fast the disk is.
package struct DiskWatch: Sendable {
    private static let shortestPause = Duration.milliseconds(250)
    /// So many looks in a row may end early before the build counts as one that hides.
    private static let mostBlindLooks = 40

    private let workspace: Workspace
    private let limit: ByteCount
    private let onBreach: @Sendable (Failure) -> Void

    /// A watch that calls `onBreach` once, when `workspace` takes up more than `limit` or can not be measured.
    package init(workspace: Workspace, limit: ByteCount, onBreach: @escaping @Sendable (Failure) -> Void) {
        self.workspace = workspace
        self.limit = limit
        self.onBreach = onBreach
    }

    /// Looks until the task is cancelled or the limit was passed.
    package func run() async {
        var blindLooks = 0
        while true {
            let clock = ContinuousClock()
            let started = clock.now
            // A look that ends early says little: the tree changes under it. The next one may get through.
            let look = (try? await Blocking.run { try Self.look(workspace) }) ?? (used: 0, isWhole: false)
            blindLooks = look.isWhole ? 0 : blindLooks + 1
            if blindLooks > Self.mostBlindLooks {
                return onBreach(
                    Failure(
                        .diskFull,
                        .user,
                        "the build's files can not be measured",
                        hint: "directories have to be readable by their owner, and less than 1000 deep"
                    )
                )
            }
            if look.used > limit.bytes {
                return onBreach(
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

    /// Bytes on disk, as far as the walk got, and whether it got to its end.
    private static func look(_ workspace: Workspace) throws -> (used: Int64, isWhole: Bool) {
        let limits = WalkLimits(
            entries: .max,
            bytes: ByteCount(.max),
            fileSize: ByteCount(.max),
            depth: 1_000,
            time: .seconds(60)
        )
        var walker = try TreeWalker(root: try workspace.open(), limits: limits)
        var used: Int64 = 0
        while true {
            do throws(WalkError) {
                guard let entry = try walker.next() else { return (used, true) }
                if entry.kind == .file { used += entry.status.allocated }
            } catch .failed(_, .noSuchFileOrDirectory) {
                // It went away between the listing and the look: builds make and remove files all the time.
            } catch {
                return (used, false)
            }
        }
    }
}
