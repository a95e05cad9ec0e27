// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import Foundation
import Testing

@Suite("a part of a source, its variables and parameters", .timeLimit(.minutes(3)))
struct ProjectOptionsTests {
    /// A source whose project is in `services/api`, and says what it sees.
    private func source(_ scratch: Scratch) throws -> String {
        let yaml = #"""
            version: 1
            env: { MODE: debug, DEPTH: project }
            params:
              target: { default: debug, values: [debug, release] }
            steps:
              - plugin: script
                env: { MODE: fast }
                with:
                  run: |
                    echo "mode=$MODE depth=$DEPTH target=$DRYDOCK_PARAM_TARGET"
                    test "$PWD" = "$DRYDOCK_SOURCE"
                    cat ../../shared.txt api.txt > "$DRYDOCK_OUT/both.txt"
            """#
        try scratch.write(yaml, to: "source/services/api/drydock.yaml")
        try scratch.write("api\n", to: "source/services/api/api.txt")
        try scratch.write("shared\n", to: "source/shared.txt")
        try Program.shell("ln -s services/api link && ln -s . here", in: scratch.url("source"))
        return scratch.url("source").path
    }

    @Test("steps run where the project is, with the whole source around it")
    func subdirectory() async throws {
        try await withScratch { scratch in
            let source = try source(scratch)
            let built = try Program.drydock(
                scratch,
                "build",
                "--output",
                "plain",
                "--directory",
                "services/api",
                "--param",
                "target=release",
                "--out",
                scratch.url("dist").path,
                source
            )
            #expect(built.status == 0, "\(built)")
            #expect(built.out.contains("mode=fast depth=project target=release"), "\(built.out)")
            #expect(try scratch.read("dist/both.txt") == "shared\napi\n")
            let list = try Program.drydock(scratch, "list", "--json").out
            #expect(list.contains("\(source)/services/api"), "\(list)")
            let id = try #require(list.firstMatch(of: /b_[0-9a-z]{16}/)).output
            let shown = try Program.drydock(scratch, "show", String(id)).out
            #expect(shown.contains(#""directory""#) && shown.contains("services/api"), "\(shown)")
            #expect(shown.contains(#""params""#) && shown.contains("release"), "\(shown)")
        }
    }

    @Test(
        "a directory that is none, is a link or leaves the source is refused",
        arguments: [
            ("nowhere", 1, "is not in the source"), ("link", 1, "symbolic link"),
            ("here/services/api", 1, "symbolic link"), ("shared.txt", 1, "is no directory"),
            ("../source", 64, "contains .."), ("/etc", 64, "starts with /"),
        ]
    )
    func refusedDirectories(directory: String, status: Int32, why: String) async throws {
        try await withScratch { scratch in
            let source = try source(scratch)
            let built = try Program.drydock(
                scratch,
                "build",
                "--output",
                "plain",
                "--directory",
                directory,
                source
            )
            #expect(built.status == status && (built.out + built.err).contains(why), "\(built)")
        }
    }

    @Test(
        "parameters that the project does not declare fail the build, and the file is named from the source's top"
    )
    func refusedParameters() async throws {
        try await withScratch { scratch in
            let source = try source(scratch)
            for (pair, status, why) in [
                ("taget=release", 1, "did you mean 'target'?"), ("target=x", 1, "services/api/drydock.yaml"),
                ("target", 64, "is no NAME=VALUE"),
            ] {
                let built = try Program.drydock(
                    scratch,
                    "build",
                    "--output",
                    "plain",
                    "--directory",
                    "services/api",
                    "--param",
                    pair,
                    source
                )
                #expect(built.status == status && (built.out + built.err).contains(why), "\(built)")
            }
            let planned = try Program.drydock(
                scratch,
                "plan",
                "--json",
                "--directory",
                "services/api",
                "--param",
                "target=release",
                source
            )
            #expect(planned.out.contains(#""DRYDOCK_PARAM_TARGET":"release""#), "\(planned)")
        }
    }
}
