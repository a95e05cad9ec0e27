// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import DrydockModel
import DrydockPlugins
import DrydockSandbox
import DrydockTestSupport
import Foundation
import Testing

@Suite("a step's parameters", .timeLimit(.minutes(1)))
struct ParameterTests {
    private static let repository = URL(filePath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
    private static let shipped = PluginCatalog.load(directories: [repository.appending(path: "plugins").path])

    @Test(
        "what a shipped plugin does not take is told with the parameter and the reason",
        arguments: [
            ("make", "targets", JSON.string("all,install"), "not \",\""),
            ("make", "targets", .string("all; rm -rf /"), "not \";\""),
            ("make", "configure", .string("a\nb"), "a control character"),
            ("swift", "configuration", .string("Release"), "\"debug\" or \"release\""),
            ("python", "run", .string(String(repeating: "x", count: 8_193)), "at most 8192 characters"),
            ("script", "run", .string("exit 9 #\0b"), "NUL"),
            ("script", "run", .number(1), "be a string"),
        ]
    )
    func refused(name: PluginName, key: String, value: JSON, reason: String) throws {
        let plugin = try #require(Self.shipped[name])
        let problem = try #require(StepParameters.problem(.object([key: value]), plugin: plugin))
        #expect(problem.key == key)
        #expect(problem.message.contains(reason), "\(problem.message)")
    }

    @Test(
        "a parameter that a guest could not see is an error, not left out",
        arguments: [
            (["a-b", "a_b"], "both the variable DRYDOCK_WITH_A_B"), (["ü"], "name of a variable"),
            ([""], "name"),
        ]
    )
    func lost(keys: [String], reason: String) throws {
        let bench = try Bench()
        let with = JSON.object(Dictionary(uniqueKeysWithValues: keys.map { ($0, JSON.bool(true)) }))
        let problem = StepParameters.problem(with, plugin: try bench.plugin("true"))
        #expect(problem?.message.contains(reason) == true, "\(String(describing: problem))")
        let driver = try bench.plugin("true", kind: "driver", name: "driver")
        #expect(StepParameters.problem(with, plugin: driver) == nil)
    }

    @Test("what they do take goes through", arguments: ["linux CFLAGS=-O2", "", "lib/a.o -j4 x+y"])
    func taken(targets: String) throws {
        let plugin = try #require(Self.shipped["make"])
        #expect(StepParameters.problem(.object(["targets": .string(targets)]), plugin: plugin) == nil)
    }

    @Test("make itself refuses targets that it would have to leave out")
    func secondLine() async throws {
        let bench = try Bench()
        try bench.write("all:\n\techo built the default\n", to: "source/Makefile")
        var plugin = try #require(Self.shipped["make"])
        plugin.manifest.config = nil
        let report = await bench.run(plugin, with: .object(["targets": .string("a,b")]))
        #expect(
            report.failure?.message.contains("targets may hold only") == true,
            "\(String(describing: report.failure))"
        )
        #expect(!bench.sink.log(.out).contains("built the default"))
    }

    @Test(
        "a schema that can not be kept makes the plugin invalid",
        arguments: [
            (#"{"properties":{"a":{"type":"text"}}}"#, "type"),
            (#"{"properties":{"a":{"pattern":"^(a+)+$"}}}"#, "pattern"),
            (#"{"properties":{"a":{"pattern":"^[^a]*$"}}}"#, "pattern"),
            (#"{"properties":{},"required":["b"]}"#, "requires"),
        ]
    )
    func invalidSchema(config: String, reason: String) throws {
        let bench = try Bench()
        let failure = #expect(throws: Failure.self) {
            try bench.plugin("true", manifest: #","config":\#(config)"#)
        }
        #expect(failure?.message.contains(reason) == true, "\(failure?.message ?? "")")
    }

    @Test("two hundred kilobytes of lines run, and the last one decides")
    func longScript() async throws {
        let bench = try Bench()
        let lines = String(repeating: "# filling filling filling filling filling\n", count: 5_000)
        let plugin = try #require(Self.shipped["script"])
        let folder = bench.root.path
        let good = await bench.run(plugin, with: .object(["run": .string(lines + "echo the end")])) {
            $0.parameters = folder
        }
        #expect(good.failure == nil)
        #expect(bench.sink.log(.out) == ["the end"])
        let none = await bench.run(plugin, with: .object(["run": .string(lines)]))
        #expect(none.failure?.code == .configInvalid)
        #expect(none.failure?.message.contains("128 KiB") == true)
    }
}
