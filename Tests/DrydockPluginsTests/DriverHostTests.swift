// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import DrydockModel
import DrydockPlugins
import DrydockSandbox
import DrydockTestSupport
import Foundation
import Testing

@Suite("drivers", .timeLimit(.minutes(1)))
struct DriverHostTests {
    private func driver(_ bench: Bench, _ script: String) throws -> Plugin {
        // The first two lines are the welcome and the request.
        try bench.plugin("read -r welcome; read -r request\n" + script, kind: "driver")
    }

    @Test("a driver's command runs for it, and its answer comes back")
    func exec() async throws {
        let bench = try Bench()
        let plugin = try driver(
            bench,
            """
            echo '@dd hello'
            echo '@dd stage compile -- Compiling'
            printf '%s\\n' '@dd {"t":"exec","id":"c1","argv":["sh","-c","cat; echo out; echo \\"$A\\" >&2; exit 4"],"env":{"A":"b"},"stdin":"in\\n","tail":2}'
            read -r start; read -r end
            printf '%s\\n' "$start" "$end"
            echo '@dd artifact a/b binary -- The program'
            echo '@dd preview site'
            echo '@dd output version -- 1.2'
            echo '@dd end ok -- fine'
            echo '@dd artifact late binary'
            """
        )
        let report = await bench.run(plugin)
        #expect(report.failure == nil)
        #expect(bench.sink.log(.out) == ["in", "out", "b"])
        #expect(bench.sink.log(.err) == [])
        let said = bench.sink.log(.plugin)
        #expect(said.first == #"{"id":"c1","t":"exec.start"}"#)
        #expect(said.dropFirst().first?.contains(#""exit":4"#) == true)
        #expect(said.last == "@dd artifact late binary")
        #expect(report.artifacts == [ArtifactRule(path: "a/b", role: .binary, title: "The program")])
        #expect(report.preview == PreviewRule(root: "site"))
        #expect(report.outputs == ["version": "1.2"])
        let stages = bench.sink.all.compactMap {
            if case .log(let line) = $0.event { line.stage?.rawValue } else { nil }
        }
        #expect(stages.contains("compile"))
    }

    @Test("what a driver hides does not stand in its failure either, nor in what explains it")
    func masked() async throws {
        let bench = try Bench()
        try bench.write("hun\u{1B}[1mter2\u{1B}[0msecret\nhunter2secret\n", to: "source/said.txt")
        let plugin = try driver(
            bench,
            """
            echo '@dd hello'
            echo '@dd mask -- hunter2secret'
            echo '@dd exec a -- cat said.txt; echo hunter2secret; exit 3'
            read -r start; read -r end
            echo '@dd end failed'
            exit 1
            """
        )
        let failure = try #require(await bench.run(plugin).failure)
        #expect(!"\(failure)".contains("hunter2secret"), "\(failure)")
        #expect(failure.details?.command?.contains("***") == true, "\(failure)")
        #expect(failure.details?.output.count == 3, "\(failure)")
    }

    @Test("a command that asks for two streams gets them, without an order between them")
    func streams() async throws {
        let bench = try Bench()
        let plugin = try driver(
            bench,
            """
            printf '%s\\n' '@dd {"t":"exec","id":"c1","streams":"apart","argv":["sh","-c","echo out; echo err >&2"]}'
            read -r start; read -r end
            echo '@dd end ok'
            """
        )
        #expect(await bench.run(plugin).failure == nil)
        #expect(bench.sink.log(.out) == ["out"])
        #expect(bench.sink.log(.err) == ["err"])
    }

    @Test("lines of both streams stand in the order in which they were written")
    func order() async throws {
        let bench = try Bench()
        let lines = "i=0; while [ $i -lt 200 ]; do echo out$i; echo err$i >&2; i=$((i+1)); done"
        _ = await bench.run(try bench.plugin(lines))
        #expect(bench.sink.log(.out) == (0..<200).flatMap { ["out\($0)", "err\($0)"] })
    }

    @Test("records printed by the project's commands are log text")
    func forged() async throws {
        let bench = try Bench()
        let forged = [
            "@dd end ok", "@dd artifact evil binary", "@dd stage x -- y", "@dd exec e -- touch forged",
        ]
        try bench.write(forged.joined(separator: "\n") + "\n", to: "source/forged.txt")
        let plugin = try driver(
            bench,
            """
            echo '@dd hello'
            echo '@dd exec a -- cat forged.txt forged.txt >&2; cat forged.txt'
            read -r start; read -r end
            exit 0
            """
        )
        let report = await bench.run(plugin)
        #expect(report.failure?.code == .pluginTruncated)
        #expect(report.artifacts.isEmpty)
        #expect(bench.sink.log(.out) == forged + forged + forged)
        #expect(bench.sink.all.allSatisfy { if case .stage = $0.event { false } else { true } })
        #expect(!FileManager.default.fileExists(atPath: bench.source.appending(path: "forged").path))
    }

    @Test(
        "an exit status means what the table says",
        arguments: [
            ("exit 0", nil, nil), ("echo '@dd end ok'", nil, nil),
            ("echo '@dd end failed -- no'", FailureCode.stepFailed, Fault.user),
            ("exit 7", .stepFailed, .user),
            ("exit 64", .pluginProtocol, .plugin), ("exit 65", .configInvalid, .user),
            ("exit 75", .pluginCrashed, .plugin),
            ("exit 200", .pluginCrashed, .plugin), ("kill -SEGV $$", .pluginCrashed, .plugin),
            ("echo '@dd hello'", .pluginTruncated, .plugin),
            ("echo '@dd error x fault=plugin -- mine'; exit 1", .pluginCrashed, .plugin),
            (
                "i=0; while [ $i -lt 200 ]; do echo '@dd stage'; i=$((i+1)); done; sleep 20", .pluginProtocol,
                .plugin
            ),
        ] as [(String, FailureCode?, Fault?)]
    )
    func exits(script: String, code: FailureCode?, fault: Fault?) async throws {
        let bench = try Bench()
        let report = await bench.run(try driver(bench, script))
        #expect(report.failure?.code == code)
        #expect(report.failure?.fault == fault)
    }

    @Test("malformed and unknown records are shown and harm nothing")
    func malformed() async throws {
        let bench = try Bench()
        let plugin = try driver(
            bench,
            "for i in 1 2 3 4 5; do echo '@dd progress NaN'; echo '@dd sparkle x'; done; echo '@dd end ok'"
        )
        let report = await bench.run(plugin)
        #expect(report.failure == nil)
        #expect(bench.sink.log(.host).count { $0.hasPrefix("Malformed record") } == 3)
        #expect(bench.sink.log(.host).count { $0.contains("sparkle") } == 1)
        #expect(bench.sink.log(.plugin).count { $0 == "@dd sparkle x" } == 5)
    }

    @Test(
        "a driver that goes away after hello without a word is the plugin's fault",
        arguments: [
            "exit 1", "echo '@dd exec a -- exit 7'; read -r s; read -r e; exit 7",
            "echo oops >&2; kill -9 $$", "echo '@dd stage a'; exit 63",
        ]
    )
    func died(script: String) async throws {
        let bench = try Bench()
        let report = await bench.run(try driver(bench, "echo '@dd hello'; " + script))
        #expect(report.failure?.code == .pluginCrashed)
        #expect(report.failure?.fault == .plugin)
    }

    @Test("one that never said hello, or says end or error, blames whom it means to")
    func toldItsEnd() async throws {
        let bench = try Bench()
        for script in [
            "exit 1", "echo '@dd hello'; echo '@dd end failed'; exit 1",
            "echo '@dd hello'; echo '@dd error x -- broken'; exit 1",
        ] {
            let report = await bench.run(try driver(bench, script))
            #expect(report.failure?.code == .stepFailed, "\(script)")
            #expect(report.failure?.fault == .user)
        }
    }

    @Test("a driver that hangs is the plugin's fault, a command that hangs the project's")
    func timeouts() async throws {
        let bench = try Bench()
        let hanging = try driver(bench, "exec sleep 30")
        let plugin = await bench.run(hanging) { $0.project.policy.limits.step = .milliseconds(300) }
        #expect(plugin.failure?.code == .pluginTimeout)
        let waiting = try driver(
            bench,
            "echo '@dd exec a -- exec sleep 30'; read -r s; read -r e; exec sleep 30"
        )
        let command = await bench.run(waiting) { $0.project.policy.limits.step = .milliseconds(300) }
        #expect(command.failure?.code == .stepTimeout)
        let reporting = try driver(
            bench,
            "echo '@dd exec a -- exec sleep 30'; read -r s; read -r e; echo \"$e\"; exit 1"
        )
        let silent = await bench.run(reporting) { $0.project.policy.limits.silence = .milliseconds(300) }
        #expect(silent.failure?.code == .silenceTimeout)
        #expect(bench.sink.log(.plugin).last?.contains(#""timeout":true"#) == true)
    }

    @Test(
        "a command that is refused or can not be read is answered",
        arguments: [
            ("exec a", "a", "argv"), ("exec a cwd=../x -- ls", "a", "cwd"),
            (#"{"t":"exec","id":"a b","argv":["ls"]}"#, "", "id"),
            (#"{"t":"exec","id":"x","argv":["ls"],"timeout":-1}"#, "x", "timeout"),
            (#"{"t":"exec","id":"x","argv":["ls"#, "", "string"),
            (#"{"t":"exec","id":"x","argv":["ls"],"env":{"A=B":"c"}}"#, "x", "env"),
        ]
    )
    func refused(record: String, id: String, reason: String) async throws {
        let bench = try Bench()
        try bench.write("@dd \(record)\n", to: "source/record")
        let plugin = try driver(
            bench,
            #"cat "$DRYDOCK_SOURCE/record"; read -r e; printf '%s\n' "$e"; echo '@dd end ok'"#
        )
        let report = await bench.run(plugin)
        #expect(report.failure == nil)
        let answer = try #require(bench.sink.log(.plugin).last)
        #expect(answer.contains(#""id":"\#(id)""#) && answer.contains(#""t":"exec.end""#))
        let error = try #require(answer.split(separator: #""error":""#).dropFirst().first)
        #expect(error.prefix { $0 != "," }.contains(reason))
    }

    @Test("one command too many is refused, and told so")
    func tooMany() async throws {
        let bench = try Bench()
        let plugin = try driver(
            bench,
            """
            echo '@dd exec first -- exec sleep 600'; read -r started
            i=0; while [ $i -le 64 ]; do echo "@dd exec c$i -- true"; i=$((i+1)); done
            read -r e; printf '%s\\n' "$e"; echo '@dd end ok'
            """
        )
        let report = await bench.run(plugin)
        #expect(report.failure == nil)
        let answer = bench.sink.log(.plugin).last
        #expect(answer?.contains(#""error":"too many commands wait"#) == true)
        #expect(answer?.contains(#""id":"c64""#) == true)
    }

    @Test("a failed compile ends the step with the first error's place")
    func place() async throws {
        let bench = try Bench()
        let plugin = try driver(
            bench,
            """
            echo '@dd exec a -- echo a.c:1:1: warning: w; echo /w/s/main.c:3:5: error: no such thing >&2; exit 2'
            read -r s; read -r e; echo '@dd end failed'; exit 1
            """
        )
        let failure = try #require(await bench.run(plugin).failure)
        #expect(failure.code == .stepFailed)
        #expect(failure.file == "main.c")
        #expect(failure.line == 3)
        #expect(failure.message.hasPrefix("error: no such thing; `echo"))
        #expect(failure.message.hasSuffix("…` ended with exit status 2"))
    }

    @Test("a driver that does not wait ends its command")
    func impatient() async throws {
        let bench = try Bench()
        // The command would last longer than the suite's time limit.
        let report = await bench.run(
            try driver(bench, "echo '@dd exec a -- exec sleep 600'; echo '@dd exec b -- touch b'")
        )
        #expect(report.failure == nil)
        #expect(!FileManager.default.fileExists(atPath: bench.source.appending(path: "b").path))
    }

    @Test("cancelling tells the driver")
    func cancel() async throws {
        let bench = try Bench()
        let context = bench.context(try driver(bench, "exec sleep 30"))
        let runner = StepRunner()
        let wish = Failure(.cancelled, .user, "cancelled by the test")
        async let report = runner.run(context, launcher: PlainLauncher(), sink: bench.sink)
        runner.cancel(wish)
        #expect(await report.failure == wish)
    }

    @Test("a sandbox that can not be had ends the step as the platform's fault")
    func platform() async throws {
        let bench = try Bench()
        let plugin = try driver(bench, "exec sleep 30")
        let report = await bench.run(
            plugin,
            launcher: ScriptedLauncher(
                problem: .setupFailed(SetupFailure(step: JailStep(rawValue: 1), errno: .notPermitted))
            )
        )
        #expect(report.failure?.code == .sandboxUnavailable)
    }

    @Test("a secret that the driver names is hidden in what its commands print")
    func mask() async throws {
        let bench = try Bench()
        let plugin = try driver(
            bench,
            "echo '@dd mask -- hunter22'; echo '@dd exec a -- echo hunter22'; read -r s; read -r e; echo \"$e\""
        )
        _ = await bench.run(plugin)
        #expect(bench.sink.log(.out) == ["***"])
        #expect(!bench.sink.log(.plugin).joined().contains("hunter22"))
    }
}
