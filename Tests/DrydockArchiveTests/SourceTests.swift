// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import DrydockModel
import DrydockOS
import DrydockTestSupport
import Foundation
import SystemPackage
import Testing

@testable import DrydockArchive

@Suite("Sources", .timeLimit(.minutes(2)))
struct SourceTests {
    @Test("a digest is that of the documented format")
    func format() throws {
        let scratch = try ScratchDirectory()
        try scratch.python(
            """
            import hashlib, os
            os.makedirs('s/d'); open('s/d/f','w').write('text'); open('s/x','w').close()
            os.chmod('s/x', 0o700); os.symlink('d/f','s/l')
            h = lambda b: 'sha256:' + hashlib.sha256(b).hexdigest()
            r = 'drydock-tree 1\\nd 1:d\\nf 3:d/f 4 %s\\nl 1:l 3:d/f\\nx 1:x 0 %s\\n' % (h(b'text'), h(b''))
            open('expected','w').write(h(r.encode()))
            """
        )
        let digest = try SnapshotDigest.digest(of: scratch.open("s"))
        #expect(try digest.rawValue == scratch.read("expected"))
    }

    @Test(
        "content, names, execute bits and link targets change a digest; times do not",
        arguments: [
            ("open('s/f','w').write('b')", false), ("os.rename('s/f','s/g')", false),
            ("os.chmod('s/f', 0o755)", false), ("os.remove('s/l'); os.symlink('g','s/l')", false),
            ("os.mkdir('s/e')", false), ("os.utime('s/f', (1, 1))", true), ("os.chmod('s/f', 0o600)", true),
        ] as [(String, Bool)]
    )
    func sensitivity(change: String, same: Bool) throws {
        let scratch = try ScratchDirectory()
        try scratch.python(
            "import os; os.mkdir('s'); open('s/f','w').write('a'); os.chmod('s/f',0o644); os.symlink('f','s/l')"
        )
        let before = try SnapshotDigest.digest(of: scratch.open("s"))
        try scratch.python("import os; " + change)
        #expect(try (SnapshotDigest.digest(of: scratch.open("s")) == before) == same)
    }

    @Test("a directory is copied without its history and its links out")
    func local() throws {
        let scratch = try ScratchDirectory()
        for name in ["s/.git/config", "s/.drydock/x", "s/a/b", "s/.gitignore"] {
            try scratch.write(name, "1")
        }
        try scratch.python("import os; os.symlink('/usr/bin/python3','s/python')")
        let path = FilePath(scratch.path + "/s")
        let summary = try LocalSource.copy(path, into: scratch.open("out"))
        #expect(summary.files == 2 && summary.examplesLeftOut == ["python"])
        #expect(try Set(scratch.open("out").names()) == [Array("a".utf8), Array(".gitignore".utf8)])
    }

    @Test("a local source that is not there, no directory, or too large is told so")
    func localRefusals() throws {
        let scratch = try ScratchDirectory()
        try scratch.write("s/f", "12345")
        let out = try scratch.open("out")
        let cases: [(String, WalkLimits, FailureCode, String)] = [
            ("none", WalkLimits(), .sourceInvalid, "no such directory"),
            ("s/f", WalkLimits(), .sourceInvalid, "no directory"),
            ("s", WalkLimits(bytes: ByteCount(4)), .sourceTooLarge, "more than 4B"),
            ("s", WalkLimits(entries: 0), .sourceTooLarge, "more than 0 files"),
        ]
        for (name, limits, code, tells) in cases {
            #expect {
                try LocalSource.copy(FilePath("\(scratch.path)/\(name)"), into: out, limits: limits)
            } throws: { error in
                guard let failure = error as? Failure else { return false }
                return failure.code == code && failure.message.contains(tells)
            }
        }
    }
}

@Suite("Git sources", .timeLimit(.minutes(2)))
struct GitSourceTests {
    private func repository() throws -> ScratchDirectory {
        let scratch = try ScratchDirectory()
        let script = """
            set -e; export GIT_CONFIG_GLOBAL=/dev/null HOME=/nonexistent
            g() { git -C repo -c user.name=t -c user.email=t@example.org "$@"; }
            git init -q -b main repo; echo one > repo/f; mkdir repo/d; echo '* filter=evil' > repo/.gitattributes
            ln -s /etc/passwd repo/out; g add -A; g commit -qm one; g tag v1
            echo two > repo/f; g commit -qam two
            printf '#!/bin/sh\\ntouch /tmp/drydock-hook-ran' > repo/.git/hooks/post-checkout
            chmod +x repo/.git/hooks/post-checkout; mkdir work
            """
        try scratch.run("/bin/sh", ["-c", script])
        return scratch
    }

    private func fetch(
        _ revision: String?,
        _ scratch: ScratchDirectory,
        _ options: GitOptions = GitOptions(protocols: ["file"])
    ) throws -> GitSummary {
        try GitSource.fetch(
            url: "file://\(scratch.path)/repo",
            revision: revision,
            into: scratch.open("out"),
            scratch: FilePath("\(scratch.path)/work"),
            options
        )
    }

    @Test(
        "a revision is fetched without its history",
        arguments: [(nil, "two\n"), ("main", "two\n"), ("v1", "one\n")] as [(String?, String)]
    )
    func revisions(revision: String?, content: String) throws {
        let scratch = try repository()
        let summary = try fetch(revision, scratch)
        #expect(summary.commit.count == 40)
        #expect(summary.copied.examplesLeftOut == ["out"])
        #expect(try scratch.read("out/f") == content)
        #expect(try !scratch.open("out").names().contains(Array(".git".utf8)))
        #expect(try scratch.open("work").names().isEmpty)
    }

    @Test("a commit is checked for size before it is written")
    func tooLarge() throws {
        let scratch = try repository()
        let limits = WalkLimits(bytes: ByteCount(10))
        #expect {
            try fetch(nil, scratch, GitOptions(protocols: ["file"], limits: limits))
        } throws: { error in
            (error as? Failure)?.code == .sourceTooLarge
        }
        #expect(try scratch.open("out").names().isEmpty)
    }

    @Test("a revision that is not there is git's to tell")
    func unknownRevision() throws {
        let scratch = try repository()
        #expect { try fetch("nothing", scratch) } throws: { error in
            guard let failure = error as? Failure else { return false }
            return failure.code == .sourceInvalid && failure.message.contains("nothing")
        }
    }

    @Test(
        "a URL that could do more than clone is refused before git sees it",
        arguments: [
            "ext::sh -c id", "file:///etc", "--upload-pack=id", "https://u:p@example.org/x", "ssh://host/x",
            "git@host:x", "https://other.org/x", "https://example.org/\nx", "", "https://",
            "https://example.org@other.org/", "https://example.org\\@other.org/",
        ]
    )
    func urls(url: String) throws {
        let scratch = try ScratchDirectory()
        #expect {
            try GitSource.fetch(
                url: url,
                revision: nil,
                into: scratch.open("out"),
                scratch: "/nonexistent",
                GitOptions(hosts: ["example.org"])
            )
        } throws: { error in
            (error as? Failure)?.code == .sourceInvalid
        }
    }

    @Test(
        "a revision that git could take for an option is refused",
        arguments: ["-x", "--upload-pack=x", "a..b", ""]
    )
    func revisionNames(revision: String) throws {
        let scratch = try repository()
        #expect { try fetch(revision, scratch) } throws: { error in
            (error as? Failure)?.message.contains("no git revision") ?? false
        }
    }
}

@Suite("Collecting artifacts", .timeLimit(.minutes(1)))
struct ArtifactCollectorTests {
    private func collect(
        _ script: String,
        _ limits: WalkLimits = WalkLimits()
    ) throws -> (files: [String: String], summary: CollectionSummary) {
        let scratch = try ScratchDirectory()
        try scratch.python("import os; os.mkdir('o'); os.chdir('o'); " + script)
        var files: [String: String] = [:]
        let summary = try ArtifactCollector.collect(from: scratch.open("o"), limits: limits) { file, read in
            var buffer = [UInt8](repeating: 0, count: 3)
            var content: [UInt8] = []
            while case let count = try read(&buffer), count > 0 { content += buffer[..<count] }
            files[file.path + (file.executable ? "*" : "")] = String(decoding: content, as: UTF8.self)
        }
        return (files, summary)
    }

    @Test("files and links to files inside are handed over with their content")
    func honest() throws {
        let (files, summary) = try collect(
            """
            os.makedirs('a/b'); open('a/b/f','w').write('hello'); open('t','w').write('x'); os.chmod('t',0o755)
            os.symlink('a/b/f','l'); os.symlink('a','dir'); os.symlink('none','dangling')
            """.replacingOccurrences(of: "\n", with: ";")
        )
        #expect(files == ["a/b/f": "hello", "t*": "x", "l": "hello"])
        #expect(summary.files == 3 && summary.bytes == 11 && summary.passedOver == ["dangling", "dir"])
    }

    @Test(
        "what is unsafe fails the collection by name",
        arguments: [
            ("os.symlink('/etc/passwd','l')", "'l'"), ("os.symlink('../x','l')", "'l'"),
            ("os.symlink('l','l')", "'l'"), ("os.mkfifo('p')", "fifo"),
            ("os.symlink('p','l'); os.mkfifo('p')", "fifo"),
            ("open(b'\\xff','w')", "clean text"), ("open('a\\nb','w')", "clean text"),
            ("import socket; socket.socket(socket.AF_UNIX).bind('s')", "socket"),
            ("os.symlink('/proc/self/environ','l')", "'l'"),
        ]
    )
    func unsafe(script: String, tells: String) throws {
        #expect { try collect(script) } throws: { error in
            guard let failure = error as? Failure else { return false }
            return failure.code == .artifactUnsafe && failure.message.contains(tells)
        }
    }

    @Test("links do not get around the cap on bytes")
    func cap() throws {
        let script = "open('f','w').write('x' * 10); [os.symlink('f', f'l{i}') for i in range(5)]"
        #expect(try collect(script, WalkLimits(bytes: ByteCount(60))).summary.bytes == 60)
        #expect { try collect(script, WalkLimits(bytes: ByteCount(59))) } throws: { error in
            (error as? Failure)?.code == .artifactTooLarge
        }
    }
}
