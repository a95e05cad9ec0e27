// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import Foundation
import Testing

@Suite("what authors of plugins have", .timeLimit(.minutes(2)))
struct PluginAuthorTests {
    @Test("a new plugin is valid, builds what it recognises, and is shown", arguments: ["sh", "python"])
    func new(language: String) async throws {
        try await withScratch { scratch in
            let plugins = scratch.url("plugins").path
            let made = try Program.run(
                Program.drydock,
                ["plugin", "new", "zip", "--language", language, "--into", plugins]
            )
            #expect(made.status == 0 && made.out.contains("made \(plugins)/50-zip"), "\(made)")
            let list = try Program.run(Program.drydock, ["plugin", "list", "--plugins", plugins])
            #expect(list.out.contains("valid     zip"), "\(list)")
            try scratch.write("", to: "project/zip.me")
            let built = try Program.drydock(
                scratch,
                "build",
                scratch.url("project").path,
                "--plugins",
                plugins,
                "--output",
                "plain"
            )
            #expect(built.status == 0 && built.out.contains("artifact: "), "\(built)")
            let shown = try Program.run(Program.drydock, ["plugin", "show", "zip", "--plugins", plugins])
            #expect(shown.out.contains("zip.me (score 50)"), "\(shown)")
            let again = try Program.run(Program.drydock, ["plugin", "new", "zip", "--into", plugins])
            #expect(again.status == 64 && again.err.contains("it is there already"), "\(again)")
        }
    }

    @Test("a name that can be none, and a plugin that is not there, are told with what to do")
    func wrong() throws {
        let bad = try Program.run(Program.drydock, ["plugin", "new", "A b"])
        #expect(bad.status == 64 && bad.err.contains("is no plugin name"), "\(bad)")
        let missing = try Program.run(Program.drydock, ["plugin", "show", "pyton"])
        #expect(missing.status == 64 && missing.err.contains("did you mean python?"), "\(missing)")
    }

    @Test("what is read off an output is shown, one object a line")
    func observe() async throws {
        try await withScratch { scratch in
            try scratch.write("int x\n", to: "source/a.c")
            try scratch.write(
                "cc -c a.c\na.c:1:6: error: expected ';'\nmake: *** [Makefile:2: all] Error 1\n",
                to: "log"
            )
            let line =
                "\(Program.drydock) plugin observe --source \(scratch.url("source").path) -- make < \(scratch.url("log").path)"
            let seen = try Program.run("/bin/sh", ["-c", line])
            #expect(
                seen.out.contains(
                    #"{"column":6,"file":"a.c","line":1,"message":"expected ';'","severity":"error"}"#
                ),
                "\(seen)"
            )
            #expect(seen.out.contains(#""consequence":true"#), "\(seen)")
        }
    }
}
