// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import DrydockModel
import Foundation
import Testing

@testable import DrydockConfig

@Suite("parameters of builds")
struct ParameterTests {
    private static let yaml = """
        version: 1
        env: { DEPTH: project, BOTH: project }
        params:
          target: { default: debug, values: [debug, release] }
          note: {}
        steps:
          - { plugin: script, env: { BOTH: step }, with: { run: make } }
        """

    private func environment(_ pairs: [String], yaml: String = Self.yaml) throws -> [String: String] {
        var file = try ProjectFile(parsing: Array(yaml.utf8))
        try file.take(try BuildParameters(pairs: pairs))
        return try #require(file.plan(clippedBy: Policy()).steps.first).env
    }

    @Test(
        "a step gets the project's variables, its own over them, and the parameters, those not given by default"
    )
    func variables() throws {
        let expected = [
            "DEPTH": "project", "BOTH": "step", "DRYDOCK_PARAM_TARGET": "debug", "DRYDOCK_PARAM_NOTE": "a=b",
        ]
        #expect(try environment(["note=a=b"]) == expected)
        let other = try environment(["target=release", "note="])
        #expect(other["DRYDOCK_PARAM_TARGET"] == "release" && other["DRYDOCK_PARAM_NOTE"]?.isEmpty == true)
    }

    @Test("steps that plugins plan get the same; what the plugin says of a step counts more")
    func detected() throws {
        var file = try ProjectFile(parsing: Array("version: 1\nenv: { A: file, B: file }\n".utf8))
        try file.take(BuildParameters())
        let step = PlannedStep(id: StepID(.script), plugin: .script, title: "", env: ["B": "plugin"])
        #expect(
            file.plan(clippedBy: Policy(), detected: [step]).steps[0].env == ["A": "file", "B": "plugin"]
        )
    }

    @Test(
        "what is not declared, not allowed or missing is refused",
        arguments: [
            (["note=x", "taget=release"], "the project has no parameter 'taget'", "did you mean 'target'?"),
            (["note=x", "target=relaese"], "'target' can not be 'relaese'", "did you mean 'release'?"),
            (["target=debug"], "'note' has no default", "--param note=VALUE"),
        ]
    )
    func refused(pairs: [String], message: String, hint: String) throws {
        let failure = try #require(throws: Failure.self) { try environment(pairs) }
        #expect(failure.code == .configInvalid && failure.fault == .user && failure.file == ProjectFile.name)
        #expect(failure.message.contains(message) && failure.hint?.contains(hint) == true, "\(failure)")
    }

    @Test("a project that declares none takes none")
    func none() throws {
        let failure = try #require(throws: Failure.self) { try environment(["a=b"], yaml: "version: 1\n") }
        #expect(failure.hint?.contains("declare it under 'params'") == true)
    }

    @Test(
        "what is no NAME=VALUE is refused before anything is looked at",
        arguments: [
            ["a"], ["=b"], ["1a=b"], ["a-b=c"], ["a=b", "a=c"], ["a=\0"], ["é=1"],
            [String(repeating: "a", count: 65) + "=b"], ["a=" + String(repeating: "b", count: 4_097)],
            (0...64).map { "a\($0)=b" },
        ]
    )
    func malformed(pairs: [String]) {
        #expect(throws: FieldProblem.self) { try BuildParameters(pairs: pairs) }
    }

    @Test("a request of an earlier version is read, and one with both keeps both")
    func stored() throws {
        var request = BuildRequest(
            session: SessionID(rawValue: "s"),
            project: ProjectName(rawValue: "p"),
            source: .path("/x"),
            trigger: .api,
            title: "t"
        )
        let old = #"{"session":"s","project":"p","source":{"path":{"_0":"/x"}},"trigger":"api","title":"t"}"#
        #expect(try JSONDecoder().decode(BuildRequest.self, from: Data(old.utf8)) == request)
        request.directory = try RelativePath(parsing: "a/b")
        request.parameters = try BuildParameters(pairs: ["target=x"])
        let again = try JSONDecoder().decode(BuildRequest.self, from: try JSONEncoder().encode(request))
        #expect(again == request)
    }
}
