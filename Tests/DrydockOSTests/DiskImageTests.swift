// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import DrydockTestSupport
import Foundation
import Glibc
import SystemPackage
import Testing

@testable import DrydockOS

@Suite("Whose a disk image is", .timeLimit(.minutes(1)))
struct DiskImageTests {
    @Test("one that is cleared up between its name and its lock is made anew, and nobody clears that up")
    func clearedBeforeLocked() throws {
        let scratch = try ScratchDirectory()
        let file = FilePath(scratch.path).appending("x.image")
        func clear() throws -> Bool {
            try DiskImage.unlessHeld("x", in: FilePath(scratch.path)) { unlink(file.string) == 0 } ?? false
        }
        var cleared: [Bool] = []
        let lock = try DiskImage.make(file) {
            if cleared.isEmpty { cleared.append((try? clear()) ?? false) }
        }
        defer { try? lock.close() }
        #expect(cleared == [true])
        #expect(try lock.isNamed(file))
        #expect(try !clear())
        #expect(try lock.isNamed(file))
    }

    @Test("one that can not be looked at is in use")
    func notToBeTold() throws {
        let scratch = try ScratchDirectory()
        let folder = FilePath(scratch.path)
        // A link is none of ours and is not followed: the same as too many open files.
        try #require(symlink("elsewhere", folder.appending("x.image").string) == 0)
        var ran = false
        #expect(throws: Errno.tooManySymbolicLinkLevels) {
            try DiskImage.unlessHeld("x", in: folder) { ran = true }
        }
        #expect(!ran)
        #expect(try DiskImage.claims(in: folder).images == 1)
        #expect(try DiskImage.unlessHeld("y", in: folder) { true } == true)
    }

    @Test("the directory is removed before the image, without which it would be taken for a dead process's")
    func order() throws {
        let scratch = try ScratchDirectory()
        let folder = FilePath(scratch.path)
        try scratch.write("bin/mke2fs", "#!/bin/sh\n")
        chmod(scratch.path + "/bin/mke2fs", 0o755)
        var formatter = ImageFormatter()
        formatter.folders = [scratch.path + "/bin"]
        let template = try ImageTemplate(holding: 1 << 20, by: formatter)
        let image = try DiskImage("x", in: folder, of: template, capacity: 1 << 20)
        try #require(mkdir(image.mountPoint.string, 0o711) == 0)
        let watch = inotify_init1(Int32(IN_CLOEXEC))
        defer { close(watch) }
        try #require(inotify_add_watch(watch, folder.string, UInt32(IN_DELETE)) >= 0)
        try image.remove()
        #expect(try Self.names(watch) == ["x", "x.image"])
    }

    /// The names in the events that have come, in their order.
    private static func names(_ watch: Int32) throws -> [String] {
        var buffer = [UInt8](repeating: 0, count: 4_096)
        let count = read(watch, &buffer, buffer.count)
        try #require(count > 0)
        var names: [String] = []
        var at = 0
        let head = MemoryLayout<inotify_event>.size
        while at < count {
            let length = buffer.withUnsafeBytes {
                $0.loadUnaligned(fromByteOffset: at, as: inotify_event.self).len
            }
            let name = buffer[(at + head)..<(at + head + Int(length))].prefix { $0 != 0 }
            names.append(String(decoding: name, as: UTF8.self))
            at += head + Int(length)
        }
        return names
    }
}
