// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import DrydockModel
import DrydockOS
import DrydockTestSupport
import Foundation
import SystemPackage
import Testing

@testable import DrydockArchive

/// How an honest tool packs the directory `s`, or what is in it, into `a`.
struct Packing: CustomTestStringConvertible, Sendable {
    var testDescription: String
    var program: String
    var arguments: [String]
}

@Suite("Honest archives", .timeLimit(.minutes(2)))
struct HonestArchiveTests {
    private static let tree = """
        import os
        os.makedirs('s/d/e'); os.makedirs('s/' + 'long-name/' * 20)
        open('s/d/f','w').write('text\\n' * 1000); open('s/run','w').write('#!/bin/sh\\n')
        os.chmod('s/run', 0o755); os.symlink('../run','s/d/l'); open('s/empty','w').close()
        open('s/' + 'long-name/' * 20 + 'n' * 200,'w').write('deep'); open('s/\\u00fc','w').write('umlaut')
        os.utime('s/d/f', (1000000000, 1000000000))
        """

    /// A zip written to what can not be sought in.
    ///
    /// Debian's `zip` refuses that for symbolic links, unless a larger file happened to come first.
    private static let streamedZip = """
        import os, time, zipfile
        os.environ['TZ'] = 'UTC'; time.tzset()
        class Pipe:
            def __init__(self, file): self.file = file
            def write(self, data): return self.file.write(data)
            def flush(self): self.file.flush()
        with open('a', 'wb') as file, zipfile.ZipFile(Pipe(file), 'w', zipfile.ZIP_DEFLATED) as archive:
            for folder, folders, names in os.walk('s'):
                for name in sorted(folders + names):
                    path = os.path.join(folder, name)
                    if os.path.islink(path):
                        entry = zipfile.ZipInfo(path)
                        entry.create_system = 3
                        entry.external_attr = 0o120777 << 16
                        archive.writestr(entry, os.readlink(path))
                    else:
                        archive.write(path)
        """

    static let packings: [Packing] = [
        Packing(
            testDescription: "tar, pax",
            program: "/usr/bin/tar",
            arguments: ["cf", "a", "--format=pax", "s"]
        ),
        Packing(
            testDescription: "tar, gnu",
            program: "/usr/bin/tar",
            arguments: ["cf", "a", "--format=gnu", "s"]
        ),
        Packing(
            testDescription: "tar, gzip, dotted",
            program: "/usr/bin/tar",
            arguments: ["czf", "a", "./s"]
        ),
        Packing(
            testDescription: "tar, the inside",
            program: "/usr/bin/tar",
            arguments: ["czf", "a", "-C", "s", "."]
        ),
        Packing(
            testDescription: "two gzip members",
            program: "/bin/sh",
            arguments: [
                "-c",
                "tar cf t s; (head -c 5000 t | gzip; tail -c +5001 t | gzip; head -c 512 /dev/zero) > a",
            ]
        ),
        Packing(
            testDescription: "python",
            program: "/usr/bin/python3",
            arguments: ["-c", "import tarfile; t = tarfile.open('a', 'w:gz'); t.add('s'); t.close()"]
        ),
        Packing(
            testDescription: "zip",
            program: "/bin/sh",
            arguments: ["-c", "zip -qry a.zip s && mv a.zip a"]
        ),
        Packing(
            testDescription: "zip, stored",
            program: "/bin/sh",
            arguments: ["-c", "cd s && zip -0qry ../a.zip . && mv ../a.zip ../a"]
        ),
        Packing(
            testDescription: "zip to a pipe, with data descriptors",
            program: "/usr/bin/python3",
            arguments: ["-c", HonestArchiveTests.streamedZip]
        ),
    ]

    @Test("what tools pack comes out as it went in", arguments: packings)
    func roundTrip(_ packing: Packing) throws {
        let scratch = try ScratchDirectory()
        try scratch.python(HonestArchiveTests.tree)
        try scratch.run(packing.program, packing.arguments)
        let summary = try unpack("a", in: scratch)
        #expect(summary.files == 5)
        #expect(summary.bytes == ByteCount(5_000 + 10 + 4 + 6))
        let before = try SnapshotDigest.digest(of: scratch.open("s"))
        #expect(try SnapshotDigest.digest(of: scratch.open("out")) == before)
        let directory = try scratch.open("out/d")
        #expect(try directory.status(of: Array("f".utf8)[...]).modified.seconds == 1_000_000_000)
    }

    @Test("a single top directory is stripped, also when it holds something of its own name")
    func stripped() throws {
        let scratch = try ScratchDirectory()
        try scratch.write("hello/hello/hello", "1")
        try scratch.write("hello/drydock.yaml", "version: 1")
        try scratch.run("/usr/bin/tar", ["cf", "a", "hello"])
        #expect(try unpack("a", in: scratch).stripped == "hello")
        #expect(try scratch.read("out/hello/hello") == "1")
        #expect(try scratch.read("out/drydock.yaml") == "version: 1")
    }

    @Test("a top directory with something beside it stays")
    func notStripped() throws {
        let scratch = try ScratchDirectory()
        try scratch.write("src/f", "1")
        try scratch.write("drydock.yaml", "version: 1")
        try scratch.run("/usr/bin/tar", ["cf", "a", "src", "drydock.yaml"])
        #expect(try unpack("a", in: scratch).stripped == nil)
        #expect(try scratch.read("out/src/f") == "1")
    }

    @Test("a later file of the same name wins, and hard links become files of their own")
    func duplicates() throws {
        let scratch = try ScratchDirectory()
        try scratch.write("f", "old")
        try scratch.python("import os; os.link('f','g')")
        try scratch.run("/usr/bin/tar", ["cf", "a", "f", "g"])
        try scratch.write("f", "new")
        try scratch.run("/usr/bin/tar", ["rf", "a", "f"])
        #expect(try unpack("a", in: scratch).files == 3)
        #expect(try scratch.read("out/f") == "new" && scratch.read("out/g") == "old")
    }

    @Test("caps stop what is one above them, and let pass what is at them")
    func caps() throws {
        let scratch = try ScratchDirectory()
        try scratch.write("s/f", "12345")
        try scratch.write("s/g", "12345")
        try scratch.run("/usr/bin/tar", ["cf", "a", "-C", "s", "f", "g"])
        #expect(
            try unpack("a", in: scratch, caps: ArchiveCaps(entries: 2, bytes: ByteCount(10))).files == 2
        )
        for caps in [
            ArchiveCaps(entries: 1), ArchiveCaps(bytes: ByteCount(9)), ArchiveCaps(fileSize: ByteCount(4)),
        ] {
            #expect { try unpack("a", in: scratch, caps: caps) } throws: { error in
                (error as? Failure)?.code == .sourceTooLarge
            }
        }
    }

    @Test("the process tells in one line what it did, or why not")
    func command() throws {
        let scratch = try ScratchDirectory()
        try scratch.write("s/f", "12345")
        try scratch.run("/usr/bin/tar", ["cf", "good", "s"])
        try scratch.write("bad", "no archive at all")
        _ = try scratch.open("out")
        let caps = ArchiveUnpackCommand.arguments(for: ArchiveCaps())
        let reply = try reply(to: "good", caps, in: scratch, status: 0)
        let summary = try ArchiveUnpackCommand.summary(fromReply: reply)
        #expect(summary == UnpackSummary(files: 1, bytes: ByteCount(5), stripped: "s"))
        let refusal = try self.reply(to: "bad", [], in: scratch, status: 1)
        #expect(refusal.count { $0 == UInt8(ascii: "\n") } == 1)
        #expect { try ArchiveUnpackCommand.summary(fromReply: refusal) } throws: { error in
            (error as? Failure)?.code == .sourceInvalid
        }
        let unusable = try self.reply(to: "good", ["x"], in: scratch, status: 64)
        #expect(throws: Failure.self) { try ArchiveUnpackCommand.summary(fromReply: unusable) }
    }

    @Test(
        "what is no reply is not taken for one",
        arguments: [
            "", "{}", #"{"ok":true}"#, #"{"ok":true,"files":1,"files":2,"bytes":5}"#,
            #"{"ok":true,"files":-1,"bytes":5}"#, #"{"ok":true,"files":1,"bytes":-5}"#,
            #"{"failure":{"code":"x"}}"#,
            String(repeating: "[", count: 60_000),
        ]
    )
    func brokenReply(_ text: String) throws {
        #expect { try ArchiveUnpackCommand.summary(fromReply: Array(text.utf8)) } throws: { error in
            (error as? Failure)?.code == .internal
        }
    }

    private func reply(
        to name: String,
        _ arguments: [String],
        in scratch: ScratchDirectory,
        status: Int32
    ) throws -> [UInt8] {
        let archive = try FileDescriptor.open("\(scratch.path)/\(name)", .readOnly)
        let reply = try FileDescriptor.open(
            "\(scratch.path)/reply",
            .writeOnly,
            options: [.create, .truncate],
            permissions: .ownerReadWrite
        )
        defer {
            try? archive.close()
            try? reply.close()
        }
        let result = ArchiveUnpackCommand.run(
            arguments: arguments,
            archive: archive,
            reply: reply,
            directory: FilePath("\(scratch.path)/out")
        )
        #expect(result == status)
        return Array(try scratch.read("reply").utf8)
    }
}
