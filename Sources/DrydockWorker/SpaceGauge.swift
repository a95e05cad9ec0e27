// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

package import DrydockModel
internal import DrydockOS
internal import Synchronization
internal import SystemPackage

/// Tells a build whose disk is an image that it was full: the kernel keeps the limit, and all that the build itself hears is
/// "No space left on device".
///
/// A look is one call, whatever the build has made.
package final class SpaceGauge: Sendable {
    private static let pause = Duration.milliseconds(50)

    private let root: DirectoryHandle
    /// The directory that the image lies in.
    private let below: DirectoryHandle
    private let capacity: Int64
    private let limit: ByteCount
    private let state = Mutex(State())

    private struct State {
        var wasFull = false
        /// The disk below the image is nearly full.
        var isStarved = false
    }

    /// `limit`: what the build may have; the image may be smaller.
    init(of image: DiskImage, limit: ByteCount) throws {
        root = try DirectoryHandle(path: image.mountPoint)
        below = try DirectoryHandle(path: image.mountPoint.removingLastComponent())
        capacity = image.capacity
        self.limit = limit
    }

    /// Looks until the task is cancelled, or until somebody else has filled the disk below, which `onBreach` is told.
    package func run(onBreach: @Sendable (Failure) -> Void) async {
        while true {
            look()
            if state.withLock({ $0.isStarved }) {
                return onBreach(DiskWatch.nearlyFull)
            }
            guard (try? await Task.sleep(for: Self.pause)) != nil else { return }
        }
    }

    /// Why the build had no space left; nil when it always had some.
    package var fullness: Failure? {
        look()
        guard state.withLock({ $0.wasFull }) else { return nil }
        guard capacity >= limit.bytes else {
            return Failure(
                .diskFull,
                .platform,
                "the workspace is full: the disk had room for \(capacity >> 20) MiB of the \(limit) that it may have",
                hint: "free some of it, or give Drydock's data directory a larger one"
            )
        }
        return Failure(
            .diskFull,
            .user,
            "the workspace is full: the build used all of the \(limit) that it may have on disk, or its "
                + "\(ImageTemplate.inodes(holding: capacity)) files and directories",
            hint: "write less, or raise limits.disk in drydock.yaml, as far as the operator allows"
        )
    }

    private func look() {
        // A look that fails says nothing; the next one may.
        guard let space = try? root.freeSpace(), let host = try? below.freeSpace() else { return }
        let isFull = space.available <= max(capacity / 128, 1 << 18) || space.inodes <= 8
        let used = capacity - space.available
        // Not everybody's end: one that plainly has little is not what fills the disk.
        let isStarved = host.available < DiskWatch.floor(of: host.total) / 2 && used > capacity / 8
        state.withLock { state in
            state.wasFull = state.wasFull || isFull
            state.isStarved = isStarved
        }
    }
}
