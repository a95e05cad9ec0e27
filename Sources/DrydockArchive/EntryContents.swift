// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import DrydockModel
import DrydockOS
import SystemPackage

/// The contents of one archive's files, as they are written, and how much they may be.
struct EntryContents {
    private static let bufferSize = 256 * 1_024

    /// Regular files so far, and their sizes' sum.
    private(set) var files = 0
    private(set) var bytes = ByteCount(0)
    private let caps: ArchiveCaps
    /// Bytes that all files together may have.
    private let allowance: Int64
    private var buffer = [UInt8](repeating: 0, count: EntryContents.bufferSize)

    init(caps: ArchiveCaps, allowance: Int64) {
        self.caps = caps
        self.allowance = allowance
    }

    /// Throws where a file of `size` bytes would be too much.
    func check(_ size: Int64, _ entry: ArchiveEntry) throws(ArchiveProblem) {
        if size > caps.fileSize.bytes {
            throw .tooLarge("a file may have \(caps.fileSize), not \(size) bytes", entry: entry.shownName)
        }
        let (total, overflow) = bytes.bytes.addingReportingOverflow(size)
        if overflow || total > caps.bytes.bytes {
            throw .tooLarge("more than \(caps.bytes) in all", entry: entry.shownName)
        }
        if total > allowance {
            throw .tooLarge("it unpacks to over \(caps.ratio) times its own size", entry: entry.shownName)
        }
    }

    /// Writes the current entry's content; returns its size.
    mutating func write(
        _ entry: ArchiveEntry,
        from reader: any ArchiveReader,
        to file: FileDescriptor
    ) throws(ArchiveProblem) -> Int64 {
        var total: Int64 = 0
        while true {
            let count = try reader.readContent(into: &buffer)
            if count == 0 { return total }
            total += Int64(count)
            try check(total, entry)
            try entry.writing { () throws(Errno) in try FileContents.write(buffer[..<count], to: file) }
        }
    }

    /// Gives a file that was written its mode and time, and counts it.
    mutating func finish(
        _ file: FileDescriptor,
        _ entry: ArchiveEntry,
        executable: Bool,
        bytes: Int64
    ) throws(ArchiveProblem) {
        try entry.writing { () throws(Errno) in
            try FileContents.setPermissions(file, executable ? 0o755 : 0o644)
            try FileContents.setModified(file, entry.modified.clamped)
        }
        files += 1
        self.bytes = ByteCount(self.bytes.bytes + bytes)
    }
}

extension FileTime {
    /// Within what every file system can store: 1970 to 2446, the end of ext4's time.
    fileprivate var clamped: FileTime {
        FileTime(seconds: min(max(seconds, 0), 15_032_385_535), nanoseconds: nanoseconds)
    }
}
