// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

package import SystemPackage

/// Measures what a tree takes up while hostile code changes it: in memory that does not grow with it.
package enum TreeMeter {
    /// What was found.
    package struct Reading: Sendable, Hashable {
        /// Bytes on disk, those of directories and an inode for each entry included.
        package var bytes: Int64 = 0
        package var entries = 0
        /// Whether nothing was closed, or deeper than the meter goes.
        package var isWhole = true
    }

    /// Directories below each other; also the descriptors held, and the chunks of names kept.
    private static let depth = 256
    /// A file system may keep small directories, and all inodes, where `st_blocks` does not show them.
    private static let leastOfDirectory: Int64 = 4_096
    private static let inode: Int64 = 256

    private struct Frame {
        var directory: DirectoryHandle
        /// The rest of the chunk that was read last.
        var names: [[UInt8]]
    }

    /// Measures what is below `root`, and stops early at more than `mostEntries`.
    ///
    /// What vanishes meanwhile is no error. Source: man 2 stat, `st_blocks`.
    package static func measure(_ root: DirectoryHandle, mostEntries: Int) throws(Errno) -> Reading {
        let reader = DirectoryReader()
        var reading = Reading()
        // A descriptor of its own: two measurements of one handle must not share a read position.
        var frames = [Frame(directory: try root.openDirectory(.root), names: [])]
        while var frame = frames.popLast() {
            if frame.names.isEmpty { frame.names = try reader.nextNames(of: frame.directory) }
            guard let name = frame.names.popLast() else { continue }
            let directory = frame.directory
            frames.append(frame)
            reading.entries += 1
            if reading.entries > mostEntries { return reading }
            guard let status = try present({ () throws(Errno) in try directory.status(of: name[...]) }) else {
                continue
            }
            guard status.kind == .directory else {
                reading.bytes += status.allocated + inode
                continue
            }
            reading.bytes += max(status.allocated, leastOfDirectory)
            guard frames.count < depth else {
                reading.isWhole = false
                continue
            }
            do throws(Errno) {
                let opened = try present { () throws(Errno) in
                    try directory.openDirectory(TreePath.root.appending(name))
                }
                if let opened { frames.append(Frame(directory: opened, names: [])) }
            } catch {
                reading.isWhole = false
            }
        }
        return reading
    }

    /// What `body` returns; nil when the entry is no longer there, or no longer what it was.
    private static func present<Value>(_ body: () throws(Errno) -> Value) throws(Errno) -> Value? {
        do throws(Errno) {
            return try body()
        } catch {
            let gone = [Errno.noSuchFileOrDirectory, .notDirectory, .tooManySymbolicLinkLevels]
            guard gone.contains(error) else { throw error }
            return nil
        }
    }
}
