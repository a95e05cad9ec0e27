// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import SystemPackage

/// Disk space set aside behind a segment's end, so that a full disk still takes the record that says how the build ended.
struct SegmentReserve {
    /// What the last record may take: an outcome with its failure's texts.
    static let room: Int64 = 64 << 10
    /// Set aside in one go, so that few appends ask the file system.
    private static let piece: Int64 = 512 << 10

    /// Blocks up to here are ours.
    private var end: Int64
    private var isPossible = true

    init(end: Int64) { self.end = end }

    /// Keeps `room` free behind `size`, which the file is about to have; the error when the disk is too full for both.
    mutating func extend(beyond size: Int64, _ file: SegmentFile) -> Errno? {
        let needed = size + Self.room
        guard isPossible, needed > end else { return nil }
        for goal in [needed + Self.piece, needed] {
            switch file.reserve(from: end, count: goal - end) {
            case nil:
                end = goal
                return nil
            case .noSpace?, .diskQuotaExceeded?: continue
            default:
                // This file system can not: what the last record finds is then up to it.
                isPossible = false
                return nil
            }
        }
        return .noSpace
    }
}
