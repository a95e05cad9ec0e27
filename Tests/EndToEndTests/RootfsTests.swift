// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import Foundation
import Testing

@Suite("builds in an imported root file system", .timeLimit(.minutes(4)))
struct RootfsTests {
    /// A program that needs nothing else: what `/bin/sh` and all of the root file system is.
    private static let source = """
        #include <stdio.h>
        #include <unistd.h>
        int main(void) {
            char text[99] = "none";
            FILE *file = fopen("/etc/release", "r");
            if (file) fgets(text, sizeof text, file);
            printf("release %s, gcc %d, passwd %d\\n", text, access("/usr/bin/gcc", F_OK), access("/etc/passwd", R_OK));
            return 0;
        }
        """

    private func tree(_ scratch: Scratch, release: String) throws {
        try scratch.write(Self.source, to: "main.c")
        try scratch.write(release, to: "tree/etc/release")
        try scratch.write("", to: "tree/bin/.keep")
        let made = try Program.run(
            "/usr/bin/gcc",
            ["-static", "-o", scratch.url("tree/bin/sh").path, scratch.url("main.c").path],
            environment: [:]
        )
        try #require(made.status == 0, "\(made)")
    }

    private func drydock(_ scratch: Scratch, _ arguments: [String]) throws -> Finished {
        try Program.run(
            Program.drydock,
            arguments,
            environment: ["DRYDOCK_DATA": scratch.url("data").path]
        )
    }

    private func project(_ scratch: Scratch, rootfs: String) throws -> String {
        try scratch.write(
            "version: 1\nrootfs: \(rootfs)\nsteps:\n  - plugin: script\n    with: { run: 'true' }\n",
            to: "project/drydock.yaml"
        )
        return scratch.url("project").path
    }

    @Test("imported, listed, built in, replaced, removed")
    func life() async throws {
        try await withScratch { scratch in
            try tree(scratch, release: "one")
            let tree = scratch.url("tree").path
            let imported = try drydock(scratch, ["rootfs", "import", "own", tree])
            #expect(imported.status == 0, "\(imported)")
            #expect(imported.out.contains("imported own: sha256:"), "\(imported)")
            let project = try project(scratch, rootfs: "own")
            let first = try drydock(scratch, ["build", project, "--output", "plain"])
            #expect(first.status == 0, "\(first)")
            #expect(first.out.contains("release one, gcc -1, passwd 0"), "\(first)")
            let run = try drydock(scratch, ["run", "--rootfs", "own", "--", "sh"])
            #expect(run.out.contains("release one"), "\(run)")
            try scratch.write("two", to: "tree/etc/release")
            #expect(try drydock(scratch, ["rootfs", "import", "own", tree]).status == 0)
            let second = try drydock(scratch, ["build", project, "--output", "plain"])
            #expect(second.out.contains("release two"), "\(second)")
            #expect(try drydock(scratch, ["rootfs", "list"]).out.split(separator: "\n").count == 1)
            let trees = scratch.url("data/rootfs/trees").path
            #expect(try FileManager.default.contentsOfDirectory(atPath: trees).count == 1)
            #expect(try drydock(scratch, ["rootfs", "remove", "own"]).status == 0)
            let third = try drydock(scratch, ["build", project, "--output", "plain"])
            #expect(third.status == 1, "\(third)")
            #expect((third.out + third.err).contains("drydock.yaml:2:"), "\(third)")
            #expect((third.out + third.err).contains("drydock rootfs import own PATH"), "\(third)")
        }
    }

    @Test("a project can not name a path")
    func path() async throws {
        try await withScratch { scratch in
            let finished = try drydock(scratch, ["plan", try project(scratch, rootfs: "/")])
            #expect(finished.status != 0)
            #expect(finished.err.contains("drydock.yaml:2: 'rootfs' is a path"), "\(finished)")
        }
    }

    @Test("the operator says which ones projects may ask for")
    func allowed() async throws {
        try await withScratch { scratch in
            try tree(scratch, release: "one")
            #expect(try drydock(scratch, ["rootfs", "import", "own", scratch.url("tree").path]).status == 0)
            let finished = try Program.run(
                Program.drydock,
                ["plan", try project(scratch, rootfs: "own")],
                environment: ["DRYDOCK_DATA": scratch.url("data").path, "DRYDOCK_ROOTFS_ALLOW": "other"]
            )
            #expect(finished.err.contains("can be had here"), "\(finished)")
        }
    }
}
