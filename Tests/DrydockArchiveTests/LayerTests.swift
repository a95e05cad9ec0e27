// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import DrydockModel
import DrydockOS
import DrydockTestSupport
import Foundation
import SystemPackage
import Testing

@testable import DrydockArchive

/// What Python needs to write layers: `layer(name, entries…)`.
let layerPrelude = """
    import io, os, tarfile, gzip, hashlib, json
    def layer(name, *entries, mode='w'):
        with tarfile.open(name, mode) as t:
            for e in entries:
                info = tarfile.TarInfo(e[0])
                if e[1] == 'file':
                    data = e[2] if len(e) > 2 else b'x'
                    info.size = len(data); info.mode = e[3] if len(e) > 3 else 0o644
                    t.addfile(info, io.BytesIO(data))
                else:
                    info.type = {'dir': tarfile.DIRTYPE, 'link': tarfile.SYMTYPE, 'hard': tarfile.LNKTYPE,
                                 'device': tarfile.CHRTYPE}[e[1]]
                    if len(e) > 2: info.linkname = e[2]
                    t.addfile(info)

    """

@Suite("Layers of images", .timeLimit(.minutes(2)))
struct LayerTests {
    private func unpack(
        _ name: String,
        in scratch: ScratchDirectory,
        caps: ArchiveCaps = .rootFileSystem
    ) throws -> LayerSummary {
        let file = try FileDescriptor.open("\(scratch.path)/\(name)", .readOnly)
        defer { try? file.close() }
        return try LayerUnpacker.unpack(layer: file, into: scratch.open("out"), caps: caps)
    }

    /// Everything below `out`: a path with `/` for a directory, `->` for a link, `=` for a file.
    private func tree(_ scratch: ScratchDirectory) throws -> [String] {
        var walker = try TreeWalker(root: scratch.open("out"))
        var found: [String] = []
        while let entry = try walker.next() {
            switch entry.kind {
            case .directory: found.append("\(entry.path)/")
            case .symlink(let target, _):
                found.append("\(entry.path)->\(String(decoding: target, as: UTF8.self))")
            case .file: found.append("\(entry.path)=\(try scratch.read("out/\(entry.path)"))")
            case .directoryEnd, .special: break
            }
        }
        return found
    }

    @Test("what a root file system has is taken: absolute links, hard links, files nobody may write")
    func ordinary() throws {
        let scratch = try ScratchDirectory()
        try scratch.python(
            layerPrelude
                + """
                layer('a', ('./', 'dir'), ('/bin/tool', 'file', b't', 0o4555), ('bin/same', 'hard', 'bin/tool'),
                    ('etc/alternatives/cc', 'link', '/usr/bin/gcc'), ('up', 'link', '../../..'),
                    ('dev/null', 'device'), ('ro', 'file', b'r', 0o400), mode='w:gz')
                """
        )
        let summary = try unpack("a", in: scratch)
        #expect(
            try tree(scratch) == [
                "bin/", "bin/same=t", "bin/tool=t", "etc/", "etc/alternatives/",
                "etc/alternatives/cc->/usr/bin/gcc", "ro=r", "up->../../..",
            ]
        )
        #expect(summary.skipped == 1)
        #expect(summary.examples == ["dev/null (a character device)"])
        let bin = try scratch.open("out/bin")
        let (tool, same) = (
            try bin.status(of: Array("tool".utf8)[...]), try bin.status(of: Array("same".utf8)[...])
        )
        #expect(tool.permissions == 0o755)
        #expect(tool.inode == same.inode)
        try scratch.python("import gzip; open('plain', 'wb').write(gzip.open('a').read())")
        let plain = try Data(contentsOf: URL(fileURLWithPath: scratch.path + "/plain"))
        #expect(summary.content == SHA256Hasher.digest(of: plain))
    }

    @Test("a layer replaces, whiteouts take away, and only of the layers below")
    func whiteouts() throws {
        let scratch = try ScratchDirectory()
        try scratch.python(
            layerPrelude
                + """
                layer('a', ('gone', 'file'), ('tree/deep/f', 'file'), ('op/old', 'file'), ('kept', 'file'),
                    ('lib', 'link', 'kept'), ('dir/f', 'file'), ('file', 'file'))
                layer('b', ('op/new', 'file', b'n'), ('op/.wh..wh..opq', 'file', b''), ('.wh.gone', 'file', b''),
                    ('.wh.tree', 'file', b''), ('tree', 'file', b'now a file'), ('lib', 'dir'), ('lib/f', 'file'),
                    ('dir', 'link', 'lib'), ('.wh..wh.plnk', 'file', b''),
                    ('none/.wh.there', 'file', b''))
                """
        )
        _ = try unpack("a", in: scratch)
        _ = try unpack("b", in: scratch)
        #expect(
            try tree(scratch) == [
                "dir->lib", "file=x", "kept=x", "lib/", "lib/f=x", "op/", "op/new=n", "tree=now a file",
            ]
        )
    }

    struct Hostile: CustomTestStringConvertible, Sendable {
        var testDescription: String
        /// Makes `a`, unpacked first, and `b`.
        var script: String
        var tells: String
    }

    @Test(
        "hostile layers are refused, and nothing outside is touched",
        arguments: [
            Hostile(
                testDescription: "..",
                script: "layer('b', ('x/../../evil', 'file'))",
                tells: "contains .."
            ),
            Hostile(
                testDescription: "whiteout of ..",
                script: "layer('b', ('d/.wh...', 'file', b''))",
                tells: "whiteout of no name"
            ),
            Hostile(
                testDescription: "whiteout of .",
                script: "layer('b', ('d/.wh..', 'file', b''))",
                tells: "whiteout of no name"
            ),
            Hostile(
                testDescription: "whiteout of nothing",
                script: "layer('b', ('.wh.', 'file', b''))",
                tells: "whiteout of no name"
            ),
            Hostile(
                testDescription: "below a link",
                script: "layer('a', ('d', 'link', '/tmp')); layer('b', ('d/evil', 'file'))",
                tells: "behind a symbolic link"
            ),
            Hostile(
                testDescription: "below a link of its own",
                script: "layer('b', ('d', 'link', '..'), ('d/evil', 'file'))",
                tells: "behind a symbolic link"
            ),
            Hostile(
                testDescription: "hard link out",
                script: "layer('b', ('h', 'hard', '../victim'))",
                tells: "hard link"
            ),
            Hostile(
                testDescription: "hard link through a link",
                script: "layer('b', ('d', 'link', '..'), ('h', 'hard', 'd/victim'))",
                tells: "hard link"
            ),
            Hostile(
                testDescription: "zstd",
                script: "open('b', 'wb').write(bytes([0x28, 0xB5, 0x2F, 0xFD]) + bytes(600))",
                tells: "zstd"
            ),
            Hostile(
                testDescription: "bomb",
                script: "layer('b', ('zeros', 'file', bytes(200_000_000)), mode='w:gz')",
                tells: "times its own size"
            ),
        ]
    )
    func hostile(_ hostile: Hostile) throws {
        let scratch = try ScratchDirectory()
        try scratch.write("victim", "safe")
        try scratch.python(layerPrelude + "layer('a', ('d/f', 'file'))\n" + hostile.script)
        _ = try unpack("a", in: scratch)
        let failure = #expect(throws: Failure.self) { try unpack("b", in: scratch) }
        #expect(failure?.message.contains(hostile.tells) == true, "\(String(describing: failure))")
        #expect(failure?.hint != nil)
        #expect(try scratch.read("victim") == "safe")
        #expect(!FileManager.default.fileExists(atPath: scratch.path + "/evil"))
        #expect(!FileManager.default.fileExists(atPath: "/tmp/evil"))
    }

    @Test("a whiteout does not reach through a link")
    func whiteoutThroughLink() throws {
        let scratch = try ScratchDirectory()
        try scratch.write("victim", "safe")
        try scratch.python(
            layerPrelude + "layer('a', ('d', 'link', '..')); layer('b', ('d/.wh.victim', 'file', b''))"
        )
        _ = try unpack("a", in: scratch)
        _ = try unpack("b", in: scratch)
        #expect(try scratch.read("victim") == "safe")
    }
}
