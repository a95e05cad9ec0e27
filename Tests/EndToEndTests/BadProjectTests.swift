// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import Foundation
import Testing

/// Projects and plugins that are wrong: the exit status tells whose fault it is, the text what to do.
@Suite("bad projects and plugins", .timeLimit(.minutes(5)))
struct BadProjectTests {
    private func step(_ run: String) -> String {
        let lines = run.split(separator: "\n").map { "        \($0)" }.joined(separator: "\n")
        return "version: 1\nsteps:\n  - id: main\n    plugin: script\n    with:\n      run: |\n\(lines)\n"
    }

    @Test("a flood of empty lines is clipped by what it takes on the disk, and the log says so")
    func emptyLines() async throws {
        try await withScratch { scratch in
            let run = "yes '' | head -n 200000; echo the end"
            let finished = try Program.build(scratch, yaml: step(run) + "limits: { log: 4MiB }\n")
            #expect(finished.status == 0, "\(finished.err)")
            let out = finished.out + finished.err
            #expect(out.contains("the end") && out.contains("short lines"), "\(out.suffix(2_000))")
            let segments = try Program.shell("find '\(scratch.url("data/segments").path)' -type f -size +17M")
            #expect(segments.isEmpty, "four times the limit of the text, and a tail: \(segments)")
        }
    }

    @Test(
        "a mistake in drydock.yaml is told with its line",
        arguments: [
            ("version: 1\nsteps:\n  - id: a\n    plugn: script\n", 4, "plugin"),
            ("version: 1\nsteps: yes\n", 2, "steps"),
            (
                "version: 1\nsteps:\n  - { id: a, plugin: script, needs: [b] }\n"
                    + "  - { id: b, plugin: script, needs: [a] }\n", 3, "needs"
            ),
            ("version: 1\nsteps:\n  - { id: a, plugin: scritp }\n", 3, "script"),
            ("version: 1\nsteps: [\n", 3, "drydock.yaml"),
        ]
    )
    func projectFile(yaml: String, line: Int, word: String) async throws {
        try await withScratch { scratch in
            let finished = try Program.build(scratch, yaml: yaml)
            let text = finished.out + finished.err
            #expect(finished.status == 1, "\(text)")
            #expect(text.contains("drydock.yaml:\(line)"), "\(text)")
            #expect(text.contains(word), "\(text)")
        }
    }

    @Test("a project that no plugin recognises says which were asked")
    func noPlugin() async throws {
        try await withScratch { scratch in
            try scratch.write("nothing to build", to: "project/notes.zzz")
            let finished = try Program.drydock(
                scratch,
                "build",
                scratch.url("project").path,
                "--output",
                "plain"
            )
            #expect(finished.status == 1)
            #expect(finished.out.contains("no_plugin"), "\(finished.out)\(finished.err)")
        }
    }

    @Test("a failing command fails the build, and its output is there")
    func failing() async throws {
        try await withScratch { scratch in
            let finished = try Program.build(scratch, yaml: step("echo about to fail\nexit 3"))
            #expect(finished.status == 1)
            #expect(finished.out.contains("about to fail"))
            #expect(finished.out.contains("step_failed"))
        }
    }

    @Test("two hundred megabytes without a newline are clipped, and the build goes on")
    func endlessLine() async throws {
        try await withScratch { scratch in
            let finished = try Program.build(
                scratch,
                yaml: step("head -c 200000000 /dev/zero | tr '\\0' x\necho\necho after")
            )
            #expect(finished.status == 0, "\(finished.out.suffix(500))")
            #expect(finished.out.utf8.count < 1_000_000)
            #expect(finished.out.contains("after"))
        }
    }

    @Test("a daemon that keeps stdout open delays nothing and is gone afterwards")
    func daemon() async throws {
        try await withScratch { scratch in
            let mark = "drydock-daemon-\(UUID().uuidString.prefix(8))"
            let run =
                "(setsid sh -c 'exec -a \(mark) sleep 3000' &)\nbash -c 'exec -a \(mark) sleep 3000' &\necho started"
            let started = ContinuousClock.now
            let finished = try Program.build(scratch, yaml: step(run))
            #expect(finished.status == 0, "\(finished.out)")
            #expect(ContinuousClock.now - started < .seconds(60))
            let left = try Program.shell("pgrep -f '[d]\(mark.dropFirst())' || true")
            #expect(left.isEmpty, "still running: \(left)")
        }
    }

    @Test("a step that runs out of its time ends with status 3 and the code")
    func stepTimeout() async throws {
        try await withScratch { scratch in
            let yaml = step("echo sleeping\nsleep 3000") + "    timeout: 2s\n"
            let finished = try Program.build(scratch, yaml: yaml)
            #expect(finished.status == 3, "\(finished.out)")
            #expect(finished.out.contains("timedOut after"), "\(finished.out)")
            #expect(finished.out.contains("step_timeout"), "\(finished.out)")
        }
    }

    @Test("a silent step ends with status 3 and its own code")
    func silenceTimeout() async throws {
        try await withScratch { scratch in
            let finished = try Program.build(scratch, yaml: step("sleep 3000") + "limits: { silence: 2s }\n")
            #expect(finished.status == 3, "\(finished.out)")
            #expect(finished.out.contains("silence_timeout"), "\(finished.out)")
        }
    }

    @Test("a build's total time ends it with status 3")
    func totalTimeout() async throws {
        try await withScratch { scratch in
            let finished = try Program.build(scratch, yaml: step("sleep 3000") + "limits: { total: 3s }\n")
            #expect(finished.status == 3, "\(finished.out)")
            #expect(finished.out.contains("total_timeout"), "\(finished.out)")
        }
    }

    /// A plugin of kind driver with `code` as its program.
    private func plugin(_ scratch: Scratch, _ code: String, mode: String = "755") throws {
        let manifest = #"{"protocol": "1.0", "kind": "driver", "timeout": {"step": 3}}"#
        try scratch.write(manifest, to: "plugins/50-odd/plugin.json")
        try scratch.write("#!/bin/sh\n" + code, to: "plugins/50-odd/plugin")
        try Program.shell(
            "chmod 755 plugins plugins/50-odd; chmod \(mode) plugins/50-odd/plugin",
            in: scratch.folder
        )
    }

    private let odd = "version: 1\nsteps:\n  - { id: main, plugin: odd }\n"

    @Test(
        "a broken plugin errors the build with status 2 and its code",
        arguments: [
            ("kill -SEGV $$\n", "plugin_crashed"),
            ("sleep 3000\n", "plugin_timeout"),
            ("for i in $(seq 200); do echo '@dd {broken'; done\n", "plugin_protocol"),
            ("echo '@dd {\"t\":\"hello\",\"protocol\":\"1.0\"}'\nexit 0\n", "plugin_truncated"),
        ]
    )
    func brokenPlugin(code: String, expected: String) async throws {
        try await withScratch { scratch in
            try plugin(scratch, code)
            let finished = try Program.build(scratch, yaml: odd, "--plugins", scratch.url("plugins").path)
            #expect(finished.status == 2, "\(finished.out)\(finished.err)")
            #expect(finished.out.contains(expected), "\(finished.out)")
        }
    }

    @Test("a plugin that is not executable is listed with the reason and not used")
    func notExecutable() async throws {
        try await withScratch { scratch in
            try plugin(scratch, "exit 0\n", mode: "644")
            let plugins = scratch.url("plugins").path
            let list = try Program.run(Program.drydock, ["plugin", "list", "--plugins", plugins])
            #expect(list.out.contains("executable"), "\(list.out)\(list.err)")
            let finished = try Program.build(scratch, yaml: odd, "--plugins", plugins)
            #expect(finished.status == 1)
            #expect(finished.out.contains("executable"), "\(finished.out)")
        }
    }
}
