// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import Foundation
import Testing

@Suite("what builds of a project leave to its next ones", .timeLimit(.minutes(4)))
struct ProjectCacheTests {
    /// One build of the project in `folder`: a line of shell.
    private func build(
        _ scratch: Scratch,
        _ line: String,
        of folder: String = "project",
        _ environment: [String: String] = [:]
    ) throws -> Finished {
        try scratch.write(
            "version: 1\nsteps:\n  - id: main\n    plugin: script\n    with:\n      run: |\n        \(line)\n",
            to: "\(folder)/drydock.yaml"
        )
        let own = ["DRYDOCK_DATA": scratch.url("data").path]
        return try Program.run(
            Program.drydock,
            ["build", scratch.url(folder).path, "--output", "plain"],
            environment: own.merging(environment) { _, new in new }
        )
    }

    /// What a build finds: each file with its first line, sorted.
    private func found(_ scratch: Scratch, of folder: String = "project") throws -> [String] {
        let look =
            #"cd "$DRYDOCK_CACHE"; find . -type f | sort | while read f; do echo "found $f $(head -n1 $f)"; done"#
        let finished = try build(scratch, look, of: folder)
        try #require(finished.status == 0, "\(finished)")
        return finished.out.split(separator: "\n").compactMap { line in
            line.range(of: "found ./").map { String(line[$0.upperBound...]) }
        }
    }

    @Test("the next build finds what one that succeeded left: new, changed, removed")
    func kept() async throws {
        try await withScratch { scratch in
            let first = #"cd "$DRYDOCK_CACHE"; mkdir a b; echo 1 >a/one; echo 1 >a/two; echo 1 >b/three"#
            let finished = try build(scratch, first)
            #expect(finished.status == 0, "\(finished)")
            #expect(
                finished.out.contains("kept for the next build of this project: 3 files"),
                "\(finished.out)"
            )
            #expect(try found(scratch) == ["a/one 1", "a/two 1", "b/three 1"])
            let second =
                #"cd "$DRYDOCK_CACHE"; echo 2 >a/one; rm a/two; rm -r b; mkdir b; echo 2 >b/four; echo 2 >>b/five"#
            #expect(try build(scratch, second).status == 0)
            #expect(try found(scratch) == ["a/one 2", "b/five 2", "b/four 2"])
            // And again, with nothing done meanwhile.
            #expect(try found(scratch) == ["a/one 2", "b/five 2", "b/four 2"])
        }
    }

    @Test("what a build that failed did to it is gone")
    func failed() async throws {
        try await withScratch { scratch in
            #expect(try build(scratch, #"echo good >"$DRYDOCK_CACHE/file""#).status == 0)
            let spoiled = try build(
                scratch,
                #"echo bad >"$DRYDOCK_CACHE/file"; echo bad >"$DRYDOCK_CACHE/more"; exit 1"#
            )
            #expect(spoiled.status == 1, "\(spoiled)")
            #expect(try found(scratch) == ["file good"])
        }
    }

    @Test("another project does not see it")
    func apart() async throws {
        try await withScratch { scratch in
            let finished = try build(scratch, #"echo mine >"$DRYDOCK_CACHE/file""#)
            #expect(finished.status == 0, "\(finished)")
            #expect(try found(scratch, of: "other") == [])
            #expect(try found(scratch) == ["file mine"])
        }
    }

    @Test("a file that was changed in place, with its time put back, is the changed one")
    func disguised() async throws {
        try await withScratch { scratch in
            let finished = try build(
                scratch,
                #"cd "$DRYDOCK_CACHE"; echo one >file; touch -d @1000000000 file"#
            )
            #expect(finished.status == 0, "\(finished)")
            #expect(
                try build(scratch, #"cd "$DRYDOCK_CACHE"; echo two >file; touch -d @1000000000 file"#).status
                    == 0
            )
            #expect(try found(scratch) == ["file two"])
        }
    }

    @Test("links of it are followed inside alone, and programs stay programs")
    func links() async throws {
        try await withScratch { scratch in
            let make =
                #"cd "$DRYDOCK_CACHE"; ln -s /usr/bin/true out; ln -s ../../../../etc/shadow up; mkfifo pipe; echo 'echo ran' >prog; chmod 755 prog; chmod 555 ."#
            #expect(try build(scratch, make).status == 0)
            let use = try build(scratch, #"cd "$DRYDOCK_CACHE"; ./out && ./prog; ls; ! cat up; touch more"#)
            #expect(use.status == 0, "\(use)")
            #expect(use.out.contains("ran"), "\(use.out)")
            #expect(!use.out.contains("pipe"), "\(use.out)")
            #expect(!use.out.contains("root:"), "\(use.out)")
        }
    }

    @Test("one that is too large is not kept, which is said, and the former one stays")
    func tooLarge() async throws {
        try await withScratch { scratch in
            #expect(try build(scratch, #"echo small >"$DRYDOCK_CACHE/file""#).status == 0)
            let large = try build(
                scratch,
                #"head -c 3000000 /dev/zero >"$DRYDOCK_CACHE/file""#,
                ["DRYDOCK_PROJECT_CACHE_SIZE": "2MiB"]
            )
            #expect(large.status == 0, "\(large)")
            #expect(
                large.out.contains(
                    "$DRYDOCK_CACHE was not kept: it takes more than 2MiB"
                ),
                "\(large.out)"
            )
            #expect(try found(scratch) == ["file small"])
        }
    }

    @Test("directories and empty files take room, too")
    func empty() async throws {
        try await withScratch { scratch in
            let many = try build(
                scratch,
                #"cd "$DRYDOCK_CACHE"; mkdir $(seq 1 600)"#,
                ["DRYDOCK_PROJECT_CACHE_SIZE": "2MiB"]
            )
            #expect(many.out.contains("$DRYDOCK_CACHE was not kept: it takes more than 2MiB"), "\(many.out)")
            let few = try build(scratch, #"cd "$DRYDOCK_CACHE"; mkdir $(seq 1 4); touch 1/a"#)
            #expect(few.out.contains("1 file, 20KiB"), "\(few.out)")
        }
    }

    @Test("paths of any length are kept, again and again")
    func long() async throws {
        try await withScratch { scratch in
            let name = String(repeating: "n", count: 250)
            let deep =
                "cd \"$DRYDOCK_CACHE\"; for i in $(seq 1 20); do mkdir -p \(name); cd \(name); done; date >>file"
            for _ in 0..<3 {
                let finished = try build(scratch, deep)
                #expect(
                    finished.status == 0 && finished.out.contains("kept for the next build"),
                    "\(finished)"
                )
            }
        }
    }

    @Test("an operator who keeps nothing has builds that begin with nothing")
    func off() async throws {
        try await withScratch { scratch in
            let off = ["DRYDOCK_PROJECT_CACHE_SIZE": "none"]
            #expect(try build(scratch, #"echo x >"$DRYDOCK_CACHE/left""#, off).status == 0)
            let next = try build(scratch, #"ls "$DRYDOCK_CACHE""#, off)
            #expect(next.status == 0 && !next.out.contains("left"), "\(next)")
            let folder = scratch.url("data/project-caches").path
            #expect(!FileManager.default.fileExists(atPath: folder))
        }
    }

    @Test("gc takes the one that is named, and those used longest ago beyond the total")
    func garbage() async throws {
        try await withScratch { scratch in
            let fill = #"head -c 600000 /dev/zero >"$DRYDOCK_CACHE/file""#
            for name in ["first", "second", "third"] {
                #expect(try build(scratch, fill, of: name).status == 0)
                try await Task.sleep(for: .milliseconds(20))
            }
            let data = [
                "DRYDOCK_DATA": scratch.url("data").path, "DRYDOCK_PROJECT_CACHE_TOTAL": "1500KiB",
                "DRYDOCK_PROJECT_CACHE_SIZE": "1MiB",
            ]
            let gc = try Program.run(Program.drydock, ["gc", "--json"], environment: data)
            #expect(gc.out.contains("first") && !gc.out.contains("second"), "\(gc)")
            let journals = try FileManager.default.subpathsOfDirectory(
                atPath: scratch.url("data/segments").path
            ).filter { $0.contains(".") }
            #expect(journals.count == 3 && journals.allSatisfy { $0.hasSuffix(".sealed") }, "\(journals)")
            #expect(try found(scratch, of: "first") == [])
            let name = scratch.url("second").resolvingSymlinksInPath().path
            let named = try Program.run(Program.drydock, ["gc", "--cache", name], environment: data)
            #expect(named.status == 0 && named.out.contains("removed the cache of project"), "\(named)")
            #expect(try found(scratch, of: "second") == [])
            let again = try Program.run(Program.drydock, ["gc", "--cache", "nobody"], environment: data)
            #expect(
                again.status == 64 && again.err.contains("nothing is kept of a project of that name"),
                "\(again)"
            )
        }
    }
}
