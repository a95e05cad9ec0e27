// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import Foundation
import Testing

@Suite("drydock plugin check", .serialized, .timeLimit(.minutes(5)))
struct PluginCheckCommandTests {
    private struct Report: Decodable {
        struct Finding: Decodable {
            var severity: String
            var part: String
            var message: String
            var line: Int?
        }

        var errors: Int
        var findings: [Finding]
    }

    private func check(_ arguments: String...) throws -> (status: Int32, report: Report, text: String) {
        let finished = try Program.run(Program.drydock, ["plugin", "check"] + arguments + ["--json"])
        let report = try JSONDecoder().decode(Report.self, from: Data(finished.out.utf8))
        return (finished.status, report, finished.out + finished.err)
    }

    private static let plugins = Program.root.appending(path: "plugins").path

    @Test(
        "every plugin that ships passes, on an empty and on a hostile project",
        arguments: try FileManager.default.contentsOfDirectory(atPath: PluginCheckCommandTests.plugins)
            .sorted()
            .filter { $0.prefix(2).allSatisfy(\.isNumber) }
    )
    func ships(name: String) throws {
        let checked = try check("\(Self.plugins)/\(name)")
        #expect(checked.status == 0 && checked.report.errors == 0, "\(checked.text)")
    }

    @Test(
        "a plugin that ships passes with a project, its records and all",
        arguments: [
            ("make", "c-hello"), ("static", "static-site"), ("python", "python-wordcount"),
        ]
    )
    func project(name: String, example: String) throws {
        let checked = try check(name, "--project", Program.root.appending(path: "examples/\(example)").path)
        #expect(checked.status == 0 && checked.report.errors == 0, "\(checked.text)")
    }

    @Test("so does the example of an author's own")
    func example() throws {
        let folder = Program.root.appending(path: "examples/own-plugin").path
        let checked = try check("\(folder)/plugins/50-greeter", "--project", "\(folder)/project")
        #expect(checked.status == 0, "\(checked.text)")
    }

    private func write(_ scratch: Scratch, manifest: String, _ program: String) throws -> String {
        try scratch.write(manifest, to: "plugins/50-probe/plugin.json")
        let file = try scratch.write("#!/bin/sh\n" + program, to: "plugins/50-probe/plugin")
        try Program.shell("chmod 755 '\(file.path)'")
        try scratch.write("x", to: "project/it")
        return scratch.url("plugins/50-probe").path
    }

    @Test("an artifact that is not there is told with the line that declared it")
    func artifact() async throws {
        try await withScratch { scratch in
            let program = """
                [ "$1" = run ] || exit 64
                read -r welcome; read -r request
                case $request in '{'*'}') ;; *) exit 65 ;; esac
                echo '@dd hello'
                echo '@dd artifact nothing.txt report'
                echo '@dd end ok'

                """
            let folder = try write(scratch, manifest: #"{"protocol":"1.0","kind":"driver"}"#, program)
            let checked = try check(folder, "--project", scratch.url("project").path)
            let found = checked.report.findings.filter { $0.severity == "error" }
            #expect(checked.status == 1 && found.count == 1, "\(checked.text)")
            #expect(found.first?.message.contains("'nothing.txt' was declared, and is not there") == true)
            #expect(found.first?.line == 2)
        }
    }

    @Test(
        "a driver that does not heed a cancellation is told, and one that takes a newer host's word for an answer"
    )
    func stubborn() async throws {
        try await withScratch { scratch in
            let program = """
                [ "$1" = run ] || exit 64
                read -r welcome; read -r request
                case $request in '{'*'}') ;; *) exit 65 ;; esac
                trap '' TERM
                echo '@dd hello'
                echo '@dd exec a -- sleep 1; date > "$DRYDOCK_OUT/it"'
                read -r started; read -r ended
                case $started$ended in *cancel*) while :; do sleep 1; done ;; esac
                case $started in *exec.start*) ;; *) exit 1 ;; esac
                echo '@dd end ok'

                """
            let folder = try write(scratch, manifest: #"{"protocol":"1.0","kind":"driver"}"#, program)
            let checked = try check(folder, "--project", scratch.url("project").path)
            let told = checked.report.findings.filter { $0.severity == "error" }.map(\.message)
            #expect(checked.status == 1, "\(checked.text)")
            #expect(told.contains { $0.hasPrefix("with a newer host it fails") }, "\(checked.text)")
            #expect(told.contains { $0.hasPrefix("cancelled, it went on for") }, "\(checked.text)")
        }
    }

    @Test("a driver that stumbles over names, deep folders or endless lines is told, with its last words")
    func hostile() async throws {
        try await withScratch { scratch in
            let program = """
                read -r request
                case $1 in
                detect) case $request in *'two\\nlines.txt'*'-rf'*|*'-rf'*'two\\nlines.txt'*) echo "odd names" >&2; exit 3 ;; esac; exit 100 ;;
                plan)
                    deep=$(find "$DRYDOCK_SOURCE" -type d | wc -l)
                    long=$(head -n 1 "$DRYDOCK_SOURCE/it.x" 2>/dev/null | wc -c)
                    links=$(find "$DRYDOCK_SOURCE" -type l | wc -l)
                    [ "$deep" -lt 2 ] && { echo '{"error": {"message": "empty"}}'; exit 0; }
                    echo "deep=$((deep > 80)) long=$((long > 1000000)) links=$links" >&2; exit 4 ;;
                run) exit 65 ;;
                *) exit 64 ;;
                esac

                """
            let manifest =
                #"{"protocol":"1.0","kind":"driver","verbs":["detect","plan"],"detect":{"files":["it.[x]"]}}"#
            let checked = try check(try write(scratch, manifest: manifest, program))
            let told = checked.report.findings.filter { $0.severity == "error" }.map(\.message)
            #expect(
                told == [
                    "detect on a hostile project: exit status 3: odd names",
                    "plan on a hostile project: exit status 4: deep=1 long=1 links=2",
                ],
                "\(checked.text)"
            )
        }
    }

    @Test("a guest without a manifest gets the checks that apply")
    func bare() async throws {
        try await withScratch { scratch in
            let file = try scratch.write(
                "#!/bin/sh\necho '@dd artifact a report'\ntouch \"$DRYDOCK_OUT/a\"\n",
                to: "plugins/50-bare.sh"
            )
            try Program.shell("chmod 755 '\(file.path)'")
            try scratch.write("x", to: "project/it")
            let plain = try check(file.path)
            #expect(plain.status == 0 && plain.report.findings.map(\.severity) == ["note"], "\(plain.text)")
            let run = try check(file.path, "--project", scratch.url("project").path)
            #expect(run.status == 1, "\(run.text)")
            #expect(
                run.report.findings.contains { $0.message.contains("no say in \"artifact\"") && $0.line == 1 }
            )
        }
    }

    @Test(
        "a plugin that can not be used is told with all reasons, and one that is not there with the nearest"
    )
    func invalid() async throws {
        try await withScratch { scratch in
            let folder = try write(scratch, manifest: #"{"protocol":"1.0","knd":1,"titel":"x"}"#, "true\n")
            try Program.shell("chmod 644 '\(folder)/plugin'")
            let seen = try Program.run(Program.drydock, ["plugin", "check", folder])
            #expect(seen.status == 1 && seen.out.contains("3 errors, 0 warnings"), "\(seen)")
            #expect(
                seen.out.contains(
                    "error   plugin.json:1: the manifest has no key 'knd' (did you mean 'kind'?)"
                )
            )
            let missing = try Program.run(Program.drydock, ["plugin", "check", "pyton"])
            #expect(missing.status == 64 && missing.err.contains("did you mean 'python'?"), "\(missing)")
        }
    }
}
