// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import Foundation
import Testing

/// What a new user meets in the first hour.
@Suite("the first hour", .timeLimit(.minutes(5)))
struct FirstHourTests {
    /// The first block of shell behind `heading` in the README.
    private func readme(behind heading: String) throws -> String {
        let text = try String(contentsOf: Program.root.appending(path: "README.md"), encoding: .utf8)
        let section = try #require(text.range(of: heading)).upperBound
        let start = try #require(text.range(of: "```sh\n", range: section..<text.endIndex)).upperBound
        let end = try #require(text.range(of: "```\n", range: start..<text.endIndex)).lowerBound
        return String(text[start..<end])
    }

    @Test("the README's plugin works as it says: listed, chosen, its stage shown, its file made")
    func readmePlugin() async throws {
        try await withScratch { scratch in
            try scratch.write(readme(behind: "## Write a plugin"), to: "config/drydock/plugins/50-zip.sh")
            try scratch.write("x", to: "project/zip.me")
            try Program.shell(
                "chmod -R go-w config && chmod 755 config/drydock/plugins/50-zip.sh",
                in: scratch.folder
            )
            let environment = [
                "XDG_CONFIG_HOME": scratch.url("config").path, "DRYDOCK_DATA": scratch.url("data").path,
            ]
            let list = try Program.run(Program.drydock, ["plugin", "list"], environment: environment)
            #expect(list.status == 0, "\(list.out)")
            #expect(list.out.contains("zip") && list.out.contains("Zip it"), "\(list.out)")
            let built = try Program.run(
                Program.drydock,
                ["build", scratch.url("project").path, "--output", "plain"],
                environment: environment
            )
            #expect(built.status == 0, "\(built.out)")
            #expect(built.out.contains("zip: == Pack everything"), "\(built.out)")
            #expect(!built.out.contains("@dd"), "\(built.out)")
            #expect(built.out.contains("artifact: all.tar.gz"), "\(built.out)")
        }
    }

    @Test("--version tells the program's version and those it is compatible with")
    func version() throws {
        let finished = try Program.run(Program.drydock, ["--version"])
        #expect(finished.status == 0)
        #expect(finished.out.hasPrefix("drydock 0."), "\(finished.out)")
        #expect(finished.out.contains("plugin protocol 1.0"))
    }

    @Test(
        "errors have one form: what, why, what to do",
        arguments: [
            ["buld"], ["build"], ["build", "--ouput", "x", "."], ["list", "--limit", "x"], ["plan", "/none"],
        ]
    )
    func errorForm(arguments: [String]) throws {
        let finished = try Program.run(Program.drydock, arguments)
        #expect(finished.status == 64)
        let lines = finished.err.split(separator: "\n")
        #expect(lines.count == 1, "\(finished.err)")
        #expect(finished.err.hasPrefix("drydock: "))
        #expect(
            !finished.err.contains("Error:") && !finished.err.contains("drydock: drydock"),
            "\(finished.err)"
        )
        #expect(finished.err.split(separator: ": ").count >= 3, "\(finished.err)")
    }

    /// What `drydock` writes to a terminal of 80 columns.
    private func onTerminal(_ scratch: Scratch, _ arguments: String, _ variables: String) throws -> String {
        let line = "env \(variables) DRYDOCK_DATA=\(scratch.url("data").path) \(Program.drydock) \(arguments)"
        return try Program.shell("script -qec '\(line)' /dev/null </dev/null || true", in: scratch.folder)
    }

    @Test("NO_COLOR takes the colours, TERM=dumb everything that moves")
    func colours() async throws {
        try await withScratch { scratch in
            let yaml =
                "version: 1\nsteps:\n  - plugin: script\n    with: { run: \"printf '\\\\033[31mred\\\\033[0m\\\\n'\" }\n"
            try scratch.write(yaml, to: "project/drydock.yaml")
            let plain = try onTerminal(scratch, "build project", "-u NO_COLOR TERM=xterm")
            #expect(plain.contains("\u{1B}[32m"), "\(plain)")
            let bare = try onTerminal(scratch, "build project", "NO_COLOR=1 TERM=xterm")
            #expect(bare.contains("red") && !bare.contains("m" + "red\u{1B}"), "\(bare)")
            #expect(!bare.replacing("\u{1B}[2K", with: "").contains("\u{1B}"), "\(bare)")
            let dumb = try onTerminal(scratch, "build project", "-u NO_COLOR TERM=dumb")
            #expect(dumb.contains("red") && !dumb.contains("\u{1B}"), "\(dumb)")
        }
    }

    @Test("tables keep to the terminal's 80 columns", arguments: ["plan project", "plugin list", "doctor"])
    func width(arguments: String) async throws {
        try await withScratch { scratch in
            try scratch.write("all:\n\ttrue\n", to: "project/Makefile")
            let text = try onTerminal(scratch, arguments, "TERM=xterm")
            #expect(!text.isEmpty)
            let long = text.split(whereSeparator: \.isNewline).filter { $0.count > 80 }
            #expect(long.isEmpty, "\(long)")
        }
    }

    @Test("a build is found by the beginning or the end of its id, as long as that is unique")
    func shortIDs() async throws {
        try await withScratch { scratch in
            try scratch.write(
                "version: 1\nsteps:\n  - { plugin: script, with: { run: echo hi } }\n",
                to: "project/drydock.yaml"
            )
            for _ in 1...2 {
                let built = try Program.drydock(scratch, "build", scratch.url("project").path)
                #expect(built.status == 0, "\(built.out)")
            }
            let rows = try Program.drydock(scratch, "list").out.split(separator: "\n")
            let id = try #require(rows.first?.split(separator: " ").first.map(String.init))
            for short in [String(id.suffix(7)), String(id.dropLast(2))] {
                let shown = try Program.drydock(scratch, "show", short)
                #expect(shown.status == 0 && shown.out.contains(id), "\(short): \(shown.err)")
            }
            let both = try Program.drydock(scratch, "show", String(id.prefix(6)))
            #expect(both.status == 64)
            #expect(both.err.contains("more than one build") && both.err.contains(id), "\(both.err)")
            #expect(try Program.drydock(scratch, "show", "b_nonesuch").status == 64)
        }
    }
}
