// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import DrydockOS

/// One entry as an archive states it; nothing about it has been checked.
struct ArchiveEntry {
    enum Kind: Hashable {
        /// `size` bytes follow, to be had from the reader.
        case file(size: Int64, executable: Bool)
        case directory
        case symlink(target: [UInt8])
        /// Another name of an earlier entry.
        case hardLink(target: [UInt8])
        /// A device, fifo or the like.
        case special(String)
    }

    /// Bytes as in the archive, `/`-separated.
    var name: [UInt8]
    var kind: Kind
    var modified: FileTime

    /// The name for messages.
    var shownName: String { "'\(TreePath.shown(name))'" }
}

/// Reads one archive from its start, an entry at a time.
protocol ArchiveReader: AnyObject {
    /// The next entry; nil at the archive's proper end. What was left of the last entry's content is skipped.
    func next() throws(ArchiveProblem) -> ArchiveEntry?

    /// Reads content of the current entry into `buffer`; 0 once all of it was read and verified.
    func readContent(into buffer: inout [UInt8]) throws(ArchiveProblem) -> Int
}
