// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import DrydockModel
import DrydockPlugins
import DrydockTestSupport
import Foundation
import Testing

@testable import DrydockConfig
@testable import DrydockWorker

@Suite("a plan, looked over before it runs")
struct PlanCheckTests {
    private static let repository = URL(filePath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
    private static let shipped = PluginCatalog.load(directories: [repository.appending(path: "plugins").path])

    private func failure(
        _ yaml: String,
        path: String = "/usr/bin:/bin",
        by plugin: PluginName? = nil
    ) throws -> Failure? {
        let file = try ProjectFile(parsing: Array(yaml.utf8))
        let origin = plugin.map(PlanCheck.Origin.plugin) ?? .projectFile(file.lines)
        do throws(Failure) {
            try PlanCheck(catalog: Self.shipped, path: path, origin: origin).check(file.steps)
            return nil
        } catch {
            return error
        }
    }

    private let twoSteps = """
        version: 1
        steps:
          - { id: one, plugin: script, with: { run: ls } }
          - id: two
            plugin: make
            with:
              configure: --with-x
              targets: a,b

        """

    @Test("an error in `with` of the last step has its line, and nothing ran")
    func line() throws {
        let failure = try #require(try failure(twoSteps))
        #expect(failure.code == .configInvalid && failure.fault == .user)
        #expect(failure.file == "drydock.yaml" && failure.line == 8)
        #expect(failure.message.hasPrefix("step two: the parameter \"targets\""))
    }

    @Test(
        "so have the others",
        arguments: [
            ("  - plugin: script\n", 3, "needs the parameter \"run\""),
            ("  - plugin: script\n    with: {}\n", 4, "needs the parameter \"run\""),
            ("  - plugin: script\n    with:\n      runn: x\n", 5, "no parameter \"runn\""),
            ("  - plugin: script\n    with: { run: 3 }\n", 4, "should be a string"),
            ("  - plugin: script\n    with: { runn: x }\n  - plugin: nonesuch\n", 5, "no plugin 'nonesuch'"),
        ]
    )
    func lines(steps: String, line: Int, message: String) throws {
        let failure = try #require(try failure("version: 1\nsteps:\n" + steps))
        #expect(failure.line == line)
        #expect(failure.message.contains(message), "\(failure.message)")
    }

    @Test("steps that a plugin planned are that plugin's mistake")
    func planned() throws {
        let failure = try #require(try failure(twoSteps, by: "cmake"))
        #expect(failure.code == .planFailed && failure.fault == .plugin)
        #expect(failure.message.contains("the plan of the plugin cmake"))
        #expect(failure.file == nil)
    }

    @Test("a command that a plugin requires and that is not there ends the build before its first step")
    func commands() throws {
        let yaml = "version: 1\nsteps:\n  - { plugin: script, with: { run: ls } }\n  - plugin: python\n"
        #expect(try failure(yaml) == nil)
        let failure = try #require(try failure(yaml, path: "/nowhere:/proc"))
        #expect(failure.code == .planFailed && failure.fault == .platform)
        #expect(failure.message.contains("`python3`") && failure.message.contains("/nowhere:/proc"))
        #expect(failure.hint != nil)
    }

    @Test("a step that runs out of time, or is silent too long, ends its build as timed out")
    func timedOut() {
        for code in [FailureCode.stepTimeout, .silenceTimeout, .totalTimeout] {
            #expect(Outcome(Failure(code, .user, "x")).state == .timedOut)
        }
    }

    @Test("what every step gets from Drydock is not for a project to set")
    func own() {
        #expect(StepEnvironment.standard(path: "/bin").keys.allSatisfy(VariableRule.isOwn))
    }

    @Test("inputs are accepted, and said to be without effect")
    func inputs() throws {
        let yaml = "version: 1\nsteps:\n  - { plugin: script, inputs: [a/**], with: { run: ls } }\n"
        let plan = try ProjectFile(parsing: Array(yaml.utf8)).plan(clippedBy: Policy())
        #expect(plan.notices.count == 1 && plan.notices[0].contains("step script"))
    }
}
