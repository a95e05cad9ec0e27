// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

/// How long builds that have ended are kept; without a limit, for ever.
///
/// Whatever it says, kept are: builds that have not ended, the newest build of each project and the newest that succeeded,
/// and builds whose rows or journals are damaged.
package struct Retention: Hashable, Sendable {
    /// Builds that ended longer ago go, and so do older records of the audit.
    package var age: Duration?
    /// Of each project, no more than the newest so many that have ended.
    package var builds: Int?
    /// As long as journals and blobs take more, the oldest builds go.
    package var size: ByteCount?
    /// Damaged builds that go because somebody named them, whatever else holds; others of these names stay.
    package var forgotten: Set<BuildID> = []

    /// Keeps everything.
    package init() {}
}

/// A build as retention looks at it.
package struct RetainedBuild: Hashable, Sendable {
    package var id: BuildID
    package var project: ProjectName
    /// Nil as long as it has not ended, and for a damaged one: it stays.
    package var endedAt: Timestamp?
    package var succeeded: Bool
    /// What it refers to: its source and what it made.
    package var blobs: Set<Digest>
    /// Bytes of its journals.
    package var journal: Int64
    /// Whether it may refer to more than `blobs`, and has no lease: it goes only when it is named.
    package var isDamaged = false

    package init(
        id: BuildID,
        project: ProjectName,
        endedAt: Timestamp?,
        succeeded: Bool,
        blobs: Set<Digest>,
        journal: Int64
    ) {
        self.id = id
        self.project = project
        self.endedAt = endedAt
        self.succeeded = succeeded
        self.blobs = blobs
        self.journal = journal
    }
}

extension Retention {
    /// Which of `builds`, all there are and the newest first, are to go, the oldest first.
    ///
    /// `blobs`: the bytes of every blob that there is, referred to or not.
    package func removed(from builds: [RetainedBuild], blobs: [Digest: Int64], now: Timestamp) -> [BuildID] {
        var removed = Set<BuildID>()
        var protected = Set<BuildID>()
        var newest = Set<ProjectName>()
        var good = Set<ProjectName>()
        var ended: [ProjectName: Int] = [:]
        for build in builds {
            let isNewest = newest.insert(build.project).inserted
            let isGood = build.succeeded && good.insert(build.project).inserted
            if build.isDamaged, forgotten.contains(build.id) { removed.insert(build.id) }
            guard let endedAt = build.endedAt else { continue }
            ended[build.project, default: 0] += 1
            if isNewest || isGood {
                protected.insert(build.id)
                continue
            }
            let isOld = age.map { now.since(endedAt) > $0 } ?? false
            let isBeyond = self.builds.map { ended[build.project, default: 0] > $0 } ?? false
            if isOld || isBeyond { removed.insert(build.id) }
        }
        // Without the blobs that could go, builds would be removed in vain.
        let isBlocked = builds.contains { $0.isDamaged && !removed.contains($0.id) }
        if let size, !isBlocked { shrink(builds, blobs, to: size, sparing: protected, &removed) }
        return builds.reversed().map(\.id).filter(removed.contains)
    }

    /// Removes the oldest until the rest takes no more than `size`; a blob goes with the last build that refers to it.
    private func shrink(
        _ builds: [RetainedBuild],
        _ blobs: [Digest: Int64],
        to size: ByteCount,
        sparing protected: Set<BuildID>,
        _ removed: inout Set<BuildID>
    ) {
        var references: [Digest: Int] = [:]
        var total: Int64 = 0
        for build in builds where !removed.contains(build.id) {
            total += build.journal
            for blob in build.blobs {
                if references[blob] == nil { total += blobs[blob] ?? 0 }
                references[blob, default: 0] += 1
            }
        }
        for build in builds.reversed() where total > size.bytes {
            guard build.endedAt != nil, !protected.contains(build.id), !removed.contains(build.id) else {
                continue
            }
            removed.insert(build.id)
            total -= build.journal
            for blob in build.blobs {
                references[blob, default: 0] -= 1
                if references[blob] == 0 { total -= blobs[blob] ?? 0 }
            }
        }
    }
}
