// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import Foundation
import Testing

/// Uploads that are wrong or hostile: each gets a clear answer with the right code, and nothing is left behind.
@Suite("bad uploads", .serialized, .timeLimit(.minutes(5)))
struct BadUploadTests {
    @Test(
        "what is no archive is refused at once",
        arguments: [("", "empty"), ("this is no archive\n", "archive")]
    )
    func refusedAtOnce(body: String, word: String) async throws {
        try await withScratch { scratch in
            try withServer(scratch) { server in
                let file = try scratch.write(body, to: "body")
                let reply = try server.post(file)
                #expect(reply.status == 400)
                #expect(reply.json["code"] as? String == "source_invalid", "\(reply.text)")
                #expect(reply.text.contains(word), "\(reply.text)")
            }
        }
    }

    /// Makes an archive with Python: `code` fills `t`, a tarfile open for writing.
    private func tar(_ scratch: Scratch, _ code: String) throws -> URL {
        let script = """
            import io, sys, tarfile
            def add(t, name, **fields):
                info = tarfile.TarInfo(name)
                data = fields.pop("data", b"")
                info.size = len(data)
                for key, value in fields.items(): setattr(info, key, value)
                t.addfile(info, io.BytesIO(data))
            with tarfile.open(sys.argv[1], "w:gz") as t:
            \(code.split(separator: "\n").map { "    " + $0 }.joined(separator: "\n"))
            """
        try scratch.write(script, to: "make.py")
        let archive = scratch.url("archive.tar.gz")
        try Program.shell("python3 make.py '\(archive.path)'", in: scratch.folder)
        return archive
    }

    @Test(
        "a hostile archive fails its build with the entry's name",
        arguments: [
            (#"add(t, "../escape", data=b"x")"#, "../escape"),
            (#"add(t, "/etc/escape", data=b"x")"#, "/etc/escape"),
            (#"add(t, "link", type=tarfile.SYMTYPE, linkname="../../outside")"#, "link"),
            (#"add(t, "hard", type=tarfile.LNKTYPE, linkname="../outside")"#, "hard"),
            (#"add(t, "null", type=tarfile.CHRTYPE, devmajor=1, devminor=3)"#, "null"),
            (#"add(t, "pipe", type=tarfile.FIFOTYPE)"#, "pipe"),
        ]
    )
    func hostile(code: String, name: String) async throws {
        try await withScratch { scratch in
            let archive = try tar(scratch, code)
            try withServer(scratch) { server in
                let build = try server.build(archive)
                #expect(build["state"] as? String == "failed")
                let failure = try #require(build["failure"] as? [String: Any])
                #expect(failure["code"] as? String == "source_invalid")
                #expect((failure["message"] as? String ?? "").contains(name), "\(failure)")
                try expectNothingLeft(scratch)
            }
        }
    }

    @Test("a truncated archive fails its build")
    func truncated() async throws {
        try await withScratch { scratch in
            let archive = try tar(scratch, #"add(t, "file", data=__import__("os").urandom(100000))"#)
            try Program.shell("truncate -s 50000 archive.tar.gz", in: scratch.folder)
            try withServer(scratch) { server in
                let build = try server.build(archive)
                let failure = try #require(build["failure"] as? [String: Any])
                #expect(failure["code"] as? String == "source_invalid", "\(failure)")
            }
        }
    }

    @Test("a bomb of ten gigabytes is stopped by the cap, not by the disk")
    func bomb() async throws {
        try await withScratch { scratch in
            try Program.shell(
                """
                python3 - <<'END'
                import tarfile, gzip
                info = tarfile.TarInfo("bomb"); info.size = 10 << 30
                with gzip.open("bomb.tar.gz", "wb", compresslevel=1) as out:
                    out.write(info.tobuf()); block = bytes(1 << 20)
                    for _ in range(512): out.write(block)
                END
                """,
                in: scratch.folder
            )
            try withServer(scratch) { server in
                let build = try server.build(scratch.url("bomb.tar.gz"))
                let failure = try #require(build["failure"] as? [String: Any])
                #expect(failure["code"] as? String == "source_too_large", "\(failure)")
                try expectNothingLeft(scratch)
            }
        }
    }

    @Test("an honest archive beside the hostile ones builds")
    func honest() async throws {
        try await withScratch { scratch in
            let yaml =
                #"version: 1\nsteps:\n  - id: main\n    plugin: script\n    with: { run: echo fine }\n"#
            let archive = try tar(scratch, #"add(t, "drydock.yaml", data=b"\#(yaml)")"#)
            try withServer(scratch) { server in
                let build = try server.build(archive)
                #expect(build["state"] as? String == "succeeded", "\(build)")
            }
        }
    }

    /// No workspace and no snapshot of an ended build is left.
    private func expectNothingLeft(_ scratch: Scratch) throws {
        let left = try Program.shell(
            "ls data/work data/snapshots | grep -v ':$' | grep . || true",
            in: scratch.folder
        )
        #expect(left.isEmpty, "left: \(left)")
    }
}
