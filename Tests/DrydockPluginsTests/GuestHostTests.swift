// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import DrydockModel
import DrydockOS
import DrydockPlugins
import DrydockSandbox
import DrydockTestSupport
import Foundation
import SystemPackage
import Testing

@Suite("guests")
struct GuestHostTests {
    @Test("a guest's lines are observed, its records advised", .timeLimit(.minutes(1)))
    func records() async throws {
        let bench = try Bench()
        let plugin = try bench.plugin(
            """
            echo hello; echo oops >&2
            echo '@dd stage deps -- Fetching'
            echo '@dd progress 1/2'
            echo 'x.c:3:7: error: no such thing'
            echo "$DRYDOCK_WITH_RUN $DRYDOCK_WITH_DEEP_LIST"
            """,
            manifest: #","stages":[{"id":"deps","title":"Dependencies"}]"#
        )
        let with: JSON = .object(["run": .string("a b"), "deep-list": .array([.number(1)])])
        let report = await bench.run(plugin, with: with)
        #expect(report.failure == nil)
        #expect(bench.sink.log(.out) == ["hello", "oops", "x.c:3:7: error: no such thing", "a b [1]"])
        #expect(bench.sink.log(.err) == [])
        let stage = StageID(rawValue: "deps")
        #expect(
            bench.sink.contains(
                .stage(StageChange(stage: stage, op: .start, title: "Fetching", weight: 1)),
                via: .advised
            )
        )
        #expect(bench.sink.contains(.stage(StageChange(stage: stage, op: .end, status: .ok)), via: .host))
        #expect(bench.sink.contains(.progress(Progress(stage: stage, current: 1, total: 2)), via: .advised))
        #expect(report.diagnostics.map(\.file) == ["x.c"])
    }

    @Test("what a guest has no say in stays log text, and its exit status decides", .timeLimit(.minutes(1)))
    func forged() async throws {
        let bench = try Bench()
        let lines = [
            "@dd end ok", "@dd artifact a binary", "@dd preview site", "@dd mask -- hello",
            "@dd exec x -- true",
            "@dd stage secret -- Not mine", "@dd notice -- Hi", "@dd error x -- y", "@dd will_fail -- z",
            "@dd progress x",
        ]
        let plugin = try bench.plugin("cat <<'E'\n\(lines.joined(separator: "\n"))\nE\nexit 3\n")
        let report = await bench.run(plugin)
        #expect(bench.sink.log(.out) == lines)
        #expect(report.failure?.code == .stepFailed)
        #expect(report.failure?.fault == .user)
        #expect(report.artifacts.isEmpty)
        #expect(bench.sink.all.allSatisfy { $0.via == .observed || $0.via == .host })
    }

    @Test("the manifest's provisions are declared of every run")
    func provisions() async throws {
        let bench = try Bench()
        let plugin = try bench.plugin(
            "true",
            manifest:
                #","provides":{"artifacts":[{"path":"site","role":"site"}],"preview":{"root":"site","spa":true}}"#
        )
        let report = await bench.run(plugin)
        #expect(report.artifacts == [ArtifactRule(path: "site", role: .site)])
        #expect(report.preview == PreviewRule(root: "site", spa: true))
    }

    @Test("a parameter that the manifest does not have is refused before anything runs")
    func parameters() async throws {
        let bench = try Bench()
        let plugin = try bench.plugin(
            "echo ran",
            manifest: #","config":{"properties":{"run":{"type":"string"}},"required":["run"]}"#
        )
        for with in [["runn": JSON.string("x")], [:], ["run": .number(3)]] {
            let report = await bench.run(plugin, with: .object(with))
            #expect(report.failure?.code == .configInvalid)
        }
        #expect(bench.sink.all.isEmpty)
    }

    @Test("200 MB without a newline become one clipped line", .timeLimit(.minutes(2)))
    func endlessLine() async throws {
        let bench = try Bench()
        let plugin = try bench.plugin("head -c 209715200 /dev/zero | tr '\\0' x")
        let report = await bench.run(plugin)
        #expect(report.failure == nil)
        let lines = bench.sink.log(.out)
        #expect(lines.count == 1)
        #expect(lines.first?.hasSuffix("[... 209649664 more bytes of this line were dropped]") == true)
    }

    @Test("a daemon that keeps the output open delays nothing", .timeLimit(.minutes(1)))
    func daemon() async throws {
        let bench = try Bench()
        // Longer than the time limit.
        let plugin = try bench.plugin("setsid sleep 600 & echo $! > daemon; echo done")
        let report = await bench.run(plugin)
        #expect(report.failure == nil)
        #expect(bench.sink.log(.out) == ["done"])
        let text = try String(contentsOf: bench.source.appending(path: "daemon"), encoding: .utf8)
        let daemon = try #require(pid_t(text.trimmingCharacters(in: .whitespacesAndNewlines)))
        #expect(kill(daemon, SIGKILL) == 0, "it outlived the step")
    }

    @Test("its time, and its time without output, have codes of their own", .timeLimit(.minutes(1)))
    func timeouts() async throws {
        let bench = try Bench()
        let silent = try bench.plugin("exec sleep 30", name: "silent")
        let wall = await bench.run(silent) { $0.project.policy.limits.step = .milliseconds(200) }
        #expect(wall.failure?.code == .stepTimeout)
        let silence = await bench.run(silent) { $0.project.policy.limits.silence = .milliseconds(200) }
        #expect(silence.failure?.code == .silenceTimeout)
    }

    @Test("a cancelled step reports the wish, not the signal", .timeLimit(.minutes(1)))
    func cancel() async throws {
        let bench = try Bench()
        let context = bench.context(try bench.plugin("exec sleep 30"))
        let runner = StepRunner()
        let wish = Failure(.superseded, .user, "a newer build came")
        async let report = runner.run(context, launcher: PlainLauncher(), sink: bench.sink)
        runner.cancel(wish)
        #expect(await report.failure == wish)
    }

    @Test("secrets of the step are hidden in all it says")
    func masks() async throws {
        let bench = try Bench()
        let plugin = try bench.plugin("echo token=hunter22; echo '@dd log -- hunter22'")
        _ = await bench.run(plugin) { $0.masks = ["hunter22"] }
        #expect(bench.sink.log(.out) == ["token=***", "***"])
    }

    @Test(
        "a verdict becomes the failure of the table",
        arguments: [
            (Verdict.oom, FailureCode.oom, Fault.user), (.pidsLimit, .pidsLimit, .user),
            (.tooManySockets, .oom, .user),
            (.signalled(11), .stepFailed, .user),
            (.ended(.diskLimit), .diskFull, .user), (.lost, .lost, .platform),
            (
                .setupFailed(SetupFailure(step: JailStep(rawValue: 5), errno: .notPermitted)),
                .sandboxUnavailable, .platform
            ),
            (.execFailed(errno: 2), .pluginCrashed, .plugin),
        ]
    )
    func verdicts(verdict: Verdict, code: FailureCode, fault: Fault) async throws {
        let bench = try Bench()
        let report = await bench.run(try bench.plugin("true"), launcher: ScriptedLauncher(verdict: verdict))
        #expect(report.failure?.code == code)
        #expect(report.failure?.fault == fault)
    }

    @Test("without a sandbox nothing runs, and the platform is to blame")
    func noSandbox() async throws {
        let bench = try Bench()
        let launcher = ScriptedLauncher(problem: .jailNotFound(["/nowhere"]))
        let report = await bench.run(try bench.plugin("echo ran"), launcher: launcher)
        #expect(report.failure?.code == .sandboxUnavailable)
        #expect(bench.sink.all.isEmpty)
    }

    @Test("a flood of records is thinned out, and the loss is told")
    func flood() async throws {
        let bench = try Bench()
        let plugin = try bench.plugin(
            "i=0; while [ $i -lt 5000 ]; do echo \"@dd progress $i/5000\"; echo '@dd log -- x'; i=$((i+1)); done"
        )
        _ = await bench.run(plugin)
        let gaps = bench.sink.all.compactMap { if case .gap(let gap) = $0.event { gap.lines } else { nil } }
        #expect(gaps.reduce(0, +) + bench.sink.log(.out).count == 5_000)
        #expect(gaps.reduce(0, +) > 0)
        let last = bench.sink.all.compactMap {
            if case .progress(let p) = $0.event { p.current } else { nil }
        }.max()
        #expect(last == 4_999)
    }
}

@Suite("observed output")
struct ObservedOutputTests {
    private func observe(_ output: String) async throws -> [Event] {
        let bench = try Bench()
        try bench.write(output, to: "source/output")
        _ = await bench.run(try bench.plugin("cat output"))
        return bench.sink.all.filter { $0.via == .observed }.map(\.event)
    }

    @Test(
        "progress is read off tools that know nothing of us",
        arguments: [
            ("[2/10] Compiling x\n[3/10] Compiling y\n", 3, 10), ("(1/4) one\n(2/4) two\n", 2, 4),
            ("[1/9] a\n\u{1B}[32m[7/9]\u{1B}[0m green\n", 7, 9), ("[ 1/10] a\r[ 9/10] b\rdone\n", 9, 10),
        ]
    )
    func progress(output: String, current: Double, total: Double) async throws {
        let seen = try await observe(output).compactMap {
            if case .progress(let progress) = $0 { progress } else { nil }
        }
        #expect(seen.map(\.current) == [current])
        #expect(seen.map(\.total) == [total])
    }

    @Test(
        "what only looks like progress is none",
        arguments: [
            "[1/2] cup of sugar", "[3/9] a\n[2/9] b", "[3/9] a\n[4/8] b", "  [1/3] a\n  [2/3] b", "[ 40%] alone",
            "[5/3] x", "[-1/0] x", "[0/0]", "NaN%", "400%", "coverage: 85% of lines", "a [1/2]", "[1/2", "%",
            "[/]", "50% of the people", "100% sure, said 9 of 10", "(50% of them)",
            "[99999999999999999999/999999999999999999999999]",
        ]
    )
    func noProgress(line: String) async throws {
        let events = try await observe(line + "\n")
        #expect(events.allSatisfy { if case .progress = $0 { false } else { true } })
    }

    @Test(
        "a time is no file",
        arguments: [
            "12:30:45: error: late", "12:30: error: late", "Jan 5 12:30:45: error: late",
            "2026-01-05T12:30:45: warning: late", "[12:30:45: error: late",
        ]
    )
    func times(line: String) async throws {
        let events = try await observe(line + "\n")
        #expect(events.allSatisfy { if case .diag = $0 { false } else { true } })
    }

    @Test("compilers' messages and tracebacks become diagnostics")
    func diagnostics() async throws {
        let output = """
            src/a.c:12:5: error: expected ';'
            b.swift:3:1: warning: never used
            c.c:9: error: old style
            Traceback (most recent call last):
              File "app.py", line 4, in <module>
                run()
            ValueError: no
            *** Error compiling './d.py'...
              File "./d.py", line 7
                def x(:
            SyntaxError: invalid syntax
            note: a.b:c: error: nothing

            """
        let found = try await observe(output).compactMap {
            if case .diag(let diag) = $0 { diag } else { nil }
        }
        #expect(found.map(\.file) == ["src/a.c", "b.swift", "c.c", "app.py", "d.py"])
        #expect(found.map(\.line) == [12, 3, 9, 4, 7])
        #expect(found.map(\.column) == [5, 1, nil, nil, nil])
        #expect(found.suffix(2).map(\.message) == ["ValueError: no", "SyntaxError: invalid syntax"])
    }
}
