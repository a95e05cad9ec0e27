// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import DrydockModel
import DrydockOS
import DrydockProtocol
import Glibc
import SystemPackage

/// Makes the sealed form of an attempt's journal, and takes the plain one away.
///
/// At every moment one of them can be read: the sealed one gets its name when all of it is on the disk and reads back, and
/// only then does the plain one go.
struct SegmentSealer {
    enum Ending: Equatable, Sendable {
        /// Bytes of the plain form and of the sealed one.
        case sealed(plain: Int64, stored: Int64)
        /// Somebody has it open for writing.
        case busy
        /// It is damaged, or has no end, and stays as it is.
        case unfit
        /// There is no plain journal any more.
        case gone
        /// It was given up, and nothing is changed.
        case interrupted
    }

    /// Blocks have that many bytes, or one line.
    private static let blockSize = 64 << 10

    let plain: FilePath
    let attempt: AttemptID
    /// An attempt that was given up has no end; one that is its build's last has.
    let needsEnd: Bool

    private var sealed: FilePath { SegmentFile.sealedPath(of: plain) }
    /// Hidden: listings of journals pass over it.
    private var unfinished: FilePath {
        plain.removingLastComponent().appending("." + attempt.rawValue + ".new")
    }

    /// `goesOn` is asked now and then whether it is still to be done.
    func seal(while goesOn: () -> Bool = { true }) throws(StoreError) -> Ending {
        guard goesOn() else { return .interrupted }
        let file: SegmentFile?
        do throws(StoreError) {
            file = try SegmentFile.locking(plain, attempt)
        } catch .journalInUse {
            return .busy
        }
        guard let file else { return .gone }
        let size = try file.size()
        if size == 0, try SegmentFile.opening(sealed) != nil {
            try removePlain()
            return .gone
        }
        guard let stored = try write(file, size, while: goesOn) else {
            // At worst one that is not fit is looked at once more.
            return goesOn() ? .unfit : .interrupted
        }
        try publish()
        try removePlain()
        return .sealed(plain: size, stored: stored)
    }

    // MARK: The steps

    /// Writes the sealed form under a name that nobody reads, and returns its size; nil when the journal is not fit, or it does
    /// not go on.
    func write(
        _ file: SegmentFile,
        _ size: Int64,
        while goesOn: () -> Bool = { true }
    ) throws(StoreError) -> Int64? {
        do throws(StoreError) {
            let target = try OwnedDescriptor.making(unfinished)
            let stored = try target.withDescriptor { target throws(StoreError) in
                var writing = SealedWriting(unfinished, target, needsEnd: needsEnd)
                return try writing.write(file, size, blockSize: Self.blockSize, while: goesOn)
            }
            guard let stored else {
                unlink(unfinished.string)
                return nil
            }
            guard let copy = try SegmentFile.opening(unfinished, isSealed: true), try copy.isWhole(),
                try copy.size() == size
            else { throw .system("verifying", unfinished, .ioError) }
            return stored
        } catch {
            unlink(unfinished.string)
            throw error
        }
    }

    func publish() throws(StoreError) {
        guard rename(unfinished.string, sealed.string) == 0 else {
            throw .system("naming", sealed, Errno.current)
        }
        try syncDirectory(plain.removingLastComponent())
    }

    func removePlain() throws(StoreError) {
        guard unlink(plain.string) == 0 else { throw .system("removing", plain, Errno.current) }
    }
}

extension OwnedDescriptor {
    /// An empty file at `path`, in the place of one that was there.
    fileprivate static func making(_ path: FilePath) throws(StoreError) -> OwnedDescriptor {
        do throws(Errno) {
            return try OwnedDescriptor(opening: path, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW)
        } catch {
            throw .system("making", path, error)
        }
    }
}

/// A sealed journal that is being written.
private struct SealedWriting {
    private let path: FilePath
    private let target: FileDescriptor
    private let needsEnd: Bool
    private var blocks: [SealedBlock] = []
    private var lastSeq: UInt64 = 0
    private var lines: UInt64 = 0
    private var hasEnded = false

    init(_ path: FilePath, _ target: FileDescriptor, needsEnd: Bool) {
        self.path = path
        self.target = target
        self.needsEnd = needsEnd
    }

    /// The size of what was written and synced; nil where the journal is not fit, or it does not go on.
    mutating func write(
        _ file: SegmentFile,
        _ size: Int64,
        blockSize: Int,
        while goesOn: () -> Bool
    ) throws(StoreError) -> Int64? {
        guard var deflater = Deflater(level: 1, windowBits: 15) else {
            throw .system("deflating", path, .noMemory)
        }
        try put(SealedIndex.magic)
        while case let offset = blocks.last?.end ?? 0, offset < size {
            guard goesOn(), let bytes = try wholeLines(file, from: offset, blockSize),
                let lines = take(bytes)
            else { return nil }
            // zlib.h, deflateBound: stored blocks at worst, five bytes for each 16 KiB.
            guard let stored = deflater.deflate(bytes, most: bytes.count + bytes.count >> 8 + 128) else {
                throw .system("deflating", path, .noMemory)
            }
            let block = SealedBlock(behind: blocks.last, lines: lines, stored: stored)
            try put(block.head + stored)
            blocks.append(block)
        }
        guard !blocks.isEmpty, hasEnded || !needsEnd else { return nil }
        let end = SealedIndex.end(blocks, lines: lines)
        try put(end)
        do throws(Errno) { try FileContents.sync(target) } catch { throw .system("syncing", path, error) }
        return (blocks.last?.storedEnd ?? 0) + Int64(end.count)
    }

    /// Lines that are as good as the writer wrote them, in their order; nil where they are not.
    private mutating func take(_ bytes: [UInt8]) -> SealedBlock.Lines? {
        var taken = SealedBlock.Lines(bytes: bytes, seq: lastSeq + 1, records: 0, line: lines + 1)
        guard !bytes.contains(0) else { return nil }
        for line in bytes.dropLast().split(separator: 0x0A, omittingEmptySubsequences: false) {
            guard !hasEnded, line.last == UInt8(ascii: "}"), let head = JournalCodec.head(of: line),
                head.seq == lastSeq + 1
            else { return nil }
            lastSeq = head.seq
            taken.records += 1
            if head.kind == EventKind.log.rawValue { lines += 1 }
            hasEnded = head.kind == EventKind.finished.rawValue
        }
        return taken
    }

    private func wholeLines(
        _ file: SegmentFile,
        from offset: Int64,
        _ blockSize: Int
    ) throws(StoreError) -> [UInt8]? {
        var asked = blockSize
        while true {
            let bytes = try file.read(from: offset, count: asked)
            if let feed = bytes.lastIndex(of: 0x0A) {
                // A last line without its line feed was torn.
                if bytes.count < asked, feed + 1 < bytes.count { return nil }
                return Array(bytes[...feed])
            }
            guard bytes.count == asked, asked < SealedBlock.longest else { return nil }
            asked *= 2
        }
    }

    private func put(_ bytes: [UInt8]) throws(StoreError) {
        do throws(Errno) { try FileContents.write(bytes[...], to: target) } catch {
            throw .system("writing", path, error)
        }
    }
}
