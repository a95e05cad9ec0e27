// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import Foundation
import Testing

@Suite("what authors of plugins have", .timeLimit(.minutes(2)))
struct PluginAuthorTests {
    @Test(
        "a new plugin is valid, builds what it recognises, and is shown",
        arguments: [["sh"], ["sh", "--kind", "driver"], ["python"]]
    )
    func new(language: [String]) async throws {
        try await withScratch { scratch in
            let plugins = scratch.url("plugins").path
            let made = try Program.run(
                Program.drydock,
                ["plugin", "new", "zip", "--into", plugins, "--language"] + language
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
            let checked = try Program.run(
                Program.drydock,
                ["plugin", "check", "\(plugins)/50-zip", "--project", scratch.url("project").path]
            )
            #expect(checked.status == 0 && checked.out.contains("0 errors, 0 warnings"), "\(checked)")
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

    @Test(
        "what a driver complains of while it is asked is shown, and a death without an end is the plugin's fault"
    )
    func complaints() async throws {
        try await withScratch { scratch in
            let program = """
                #!/bin/sh
                echo "looking with $1" >&2
                case $1 in
                detect) echo '{"score": 50}' ;;
                plan) echo '{"steps": [{}]}' ;;
                run) echo '@dd hello'; exit 3 ;;
                esac

                """
            try scratch.write(
                #"{"protocol":"1.0","kind":"driver","verbs":["run","detect","plan"]}"#,
                to: "plugins/50-probe/plugin.json"
            )
            let file = try scratch.write(program, to: "plugins/50-probe/plugin")
            try Program.shell("chmod 755 '\(file.path)'")
            try scratch.write("", to: "project/probe.me")
            let (project, plugins) = (scratch.url("project").path, scratch.url("plugins").path)
            let planned = try Program.drydock(scratch, "plan", project, "--plugins", plugins)
            #expect(
                planned.err.contains("probe: looking with detect\nprobe: looking with plan"),
                "\(planned)"
            )
            let built = try Program.drydock(
                scratch,
                "build",
                project,
                "--plugins",
                plugins,
                "--output",
                "json"
            )
            #expect(built.status == 2, "\(built)")
            for text in ["probe: looking with detect", "probe: looking with plan", #""fault":"plugin""#] {
                #expect(built.out.contains(text), "\(text): \(built)")
            }
        }
    }
}
