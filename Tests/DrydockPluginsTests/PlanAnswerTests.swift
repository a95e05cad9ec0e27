// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import DrydockModel
import DrydockPlugins
import DrydockSandbox
import DrydockTestSupport
import Foundation
import Testing

@Suite("plans of drivers", .timeLimit(.minutes(1)))
struct PlanAnswerTests {
    /// What a driver whose `plan` prints `answer` plans.
    private func plan(_ answer: String, exit status: Int = 0) async throws -> [PlannedStep] {
        let bench = try Bench()
        try bench.write(answer, to: "source/answer")
        let plugin = try bench.plugin(
            #"[ "$1" = plan ] || exit 64; cat "$DRYDOCK_SOURCE/answer"; exit \#(status)"#,
            kind: "driver",
            manifest: #","verbs":["run","plan"]"#
        )
        let survey = ProjectSurvey(
            catalog: PluginCatalog.load(directories: [bench.plugins.path]),
            files: ["answer"],
            driver: bench.spec,
            launcher: PlainLauncher()
        )
        return try await survey.plan(plugin)
    }

    @Test("every key of a step is read")
    func keys() async throws {
        let steps = try await plan(
            """
            {"steps": [
              {"id": "deps"},
              {"id": "site", "plugin": "static", "title": "The site", "with": {"root": "docs"}, "needs": ["deps"],
               "env": {"A": "b"}, "inputs": ["docs/**"], "outputs": ["site/**"],
               "weight": 2.5, "timeout": 90}
            ]}
            """
        )
        #expect(steps.map(\.plugin) == ["probe", "static"])
        #expect(steps.map(\.title) == ["deps", "The site"])
        let site = try #require(steps.last)
        #expect(site.with == .object(["root": .string("docs")]))
        #expect(site.needs == ["deps"])
        #expect(site.env == ["A": "b"])
        #expect(site.inputs == ["docs/**"])
        #expect(site.outputs == ["site/**"])
        #expect(site.weight == 2.5)
        #expect(site.timeout == .seconds(90))
    }

    @Test("a command becomes a step of the script plugin, quoted for the shell")
    func command() async throws {
        let steps = try await plan(
            #"{"steps": [{"id": "a", "argv": ["echo", "it's $HOME"], "cwd": "sub dir"}]}"#
        )
        #expect(steps.first?.plugin == "script")
        #expect(
            steps.first?.with
                == .object(["run": .string(#"cd 'sub dir' && 'echo' 'it'\''s $HOME'"#)])
        )
    }

    @Test(
        "what is no plan is the plugin's fault, with the reason",
        arguments: [
            ("", "byte 0"), ("{", "byte"), ("[]", "plan"), (#"{"steps": []}"#, "0 steps"),
            (#"{"stages": []}"#, "stages"), (#"{"error": {"hint": "x"}}"#, "message"), (#"{"error": {"message": "x", "fault": "nobody"}}"#, "fault"),
            (#"{"steps": [{"id": "A b"}]}"#, "'steps[0].id' can not be 'A b'"),
            (#"{"steps": [{"id": "a"}, {"id": "a"}]}"#, "two steps have the id 'a'"),
            (#"{"steps": [{"id": "a", "needs": ["b"]}]}"#, "needs 'b'"),
            (#"{"steps": [{"id": "a", "argv": ["ls"], "cwd": "../x"}]}"#, "cwd"),
            (#"{"steps": [{"id": "a", "env": {"A": 1}}]}"#, "steps[0].env.A"),
            (#"{"steps": [{"id": "a", "weight": -1}]}"#, "weight"),
            (#"{"steps": [{"id": "a", "run": "ls"}]}"#, "run"),
            (#"{"steps": [{"id": "a", "needs": ["b"]}, {"id": "b", "needs": ["a"]}]}"#, "a → b → a"),
            (#"{"steps": [{"id": "a", "needs": ["a"]}]}"#, "needs itself"),
            (#"{"steps": [{"id": "a", "with": {"run": "x\u0000"}}]}"#, "NUL"),
            (#"{"steps": [{"id": "a", "network": ["example.org"]}]}"#, "permits.network"),
        ]
    )
    func refused(answer: String, reason: String) async throws {
        let failure = await #expect(throws: Failure.self) { try await plan(answer) }
        #expect(failure?.code == .planFailed)
        #expect(failure?.fault == .plugin)
        #expect(failure?.message.contains(reason) == true, "\(failure?.message ?? "")")
    }

    @Test("more steps than a build may have are refused")
    func tooMany() async throws {
        let steps = (0...200).map { #"{"id":"s\#($0)"}"# }.joined(separator: ",")
        let failure = await #expect(throws: Failure.self) { try await plan(#"{"steps":[\#(steps)]}"#) }
        #expect(failure?.message.contains("201 steps") == true)
    }

    @Test("an exit status other than 0 is no plan, whatever was said")
    func exitStatus() async throws {
        let failure = await #expect(throws: Failure.self) {
            try await plan(#"{"steps": [{"id": "a"}]}"#, exit: 3)
        }
        #expect(failure?.message.contains("exit status 3") == true)
    }

    @Test("a driver without the verb is one step of itself")
    func noVerb() async throws {
        let bench = try Bench()
        let plugin = try bench.plugin("exit 1", kind: "driver", manifest: #","title":"Probe it""#)
        let survey = ProjectSurvey(
            catalog: PluginCatalog.load(directories: [bench.plugins.path]),
            files: [],
            driver: bench.spec,
            launcher: PlainLauncher()
        )
        let steps = try await survey.plan(plugin)
        #expect(steps.map(\.title) == ["Probe it"])
    }
}
