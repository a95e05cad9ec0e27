// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import DrydockModel
import DrydockTestSupport
import Foundation
import Testing

@testable import DrydockEgress

@Suite("Presets: tools say where their index is", .timeLimit(.minutes(1)))
struct PresetTests {
    /// A plugin directory with one preset's program, asked.
    private func ask(
        _ script: String,
        mirror: String? = nil,
        _ environment: [String] = ["PATH=/usr/bin:/bin"]
    ) async throws -> ToolIndexes {
        let directory = try ScratchDirectory()
        try directory.write("presets/tool", "#!/bin/sh\n" + script)
        try directory.run("/bin/chmod", ["755", "presets/tool"])
        var settings = NetworkSettings()
        settings.presets = [Self.tool]
        settings.mirrors[Self.tool] = try mirror.map { try IndexURL(parsing: $0) }
        return await ToolIndexes(
            asking: settings,
            in: ["/nonexistent", directory.path],
            environment: environment
        )
    }

    private static let shippedPlugins = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        .appending(path: "../../plugins").standardized.path
    private static let tool = PresetName(unchecked: "tool")

    @Test("an answer grants its hosts, the indexes first, and tells steps that may reach one")
    func answer() async throws {
        let tools = try await ask(
            """
            [ "$PWD" = / ] && [ -z "${DRYDOCK_DATA-}" ] || exit 1
            echo host files.example.org
            echo index TOOL_INDEX https://index.example.org:8443/simple
            echo set TOOL_MODE "a b"
            """,
            ["PATH=/usr/bin:/bin", "DRYDOCK_DATA=x"]
        )
        #expect(tools.problems.isEmpty)
        var operatorsPolicy = NetworkPolicy()
        tools.grant(to: &operatorsPolicy)
        #expect(operatorsPolicy.rules.map(\.description) == ["index.example.org:8443", "files.example.org"])
        let wish = try NetworkRule(parsing: "preset:tool")
        let (granted, refused) = operatorsPolicy.granting([wish])
        #expect(granted.rules == operatorsPolicy.rules && refused.isEmpty)
        #expect(
            tools.variables(for: granted) == [
                "TOOL_INDEX": "https://index.example.org:8443/simple", "TOOL_MODE": "a b",
            ]
        )
        #expect(tools.variables(for: NetworkPolicy([granted.rules[1]])).isEmpty)
        // Of a tool that the operator has not named nothing is granted.
        #expect(NetworkPolicy(operatorsPolicy.rules).granting([wish]).refused == [wish])
    }

    @Test("the password of an address is handed to no program or step: it is for the proxy to add")
    func mirror() async throws {
        let tools = try await ask(
            #"echo "index TOOL_INDEX $1""#,
            mirror: "https://me:hunter22@index.example.org/simple"
        )
        let host = try HostName("index.example.org")
        let secret = try HostSecret(host, .basic("me:hunter22"))
        #expect(tools.secrets == [secret] && tools.problems.isEmpty)
        #expect(tools.answers[Self.tool]?.variables == ["TOOL_INDEX": "https://index.example.org/simple"])
        let own = try await ask("echo index TOOL_INDEX https://me:hunter22@index.example.org/")
        #expect(own.secrets == [secret] && own.problems.isEmpty)
        #expect(own.answers[Self.tool]?.variables == ["TOOL_INDEX": "https://index.example.org/"])
        #expect("\(own)".contains("hunter22") == false && "\(tools)".contains("hunter22") == false)
        var dumped = ""
        dump([own, tools], to: &dumped)
        #expect(!dumped.contains("hunter22"))
        // By http it is added where the tool itself would have, and one that can not be told apart is not.
        let plain = try await ask("echo index - http://me:hunter22@index.example.org:8080/")
        #expect(plain.secrets.first?.isFor(host, port: 8080, isSecure: false) == true)
        let short = try await ask("echo index - https://me:x@index.example.org/")
        #expect(short.secrets.isEmpty)
        #expect(short.problems[Self.tool]?.message.contains("6 to 4096 bytes") == true, "\(short.problems)")
    }

    @Test(
        "what is no answer grants nothing, and is told with its line",
        arguments: [
            (
                "echo host index.example.org; echo 'what is this'",
                "line 2 of its answer: 'what is this' is no answer"
            ),
            ("echo host 10.0.0.0/8", "'10.0.0.0/8' has a path or a range"),
            ("echo 'index - ftp://index.example.org/'", "is not one of https or http"),
            ("echo 'index - https://10.1.2.3/'", "is an address, not a name"),
            ("echo 'set 1X y'", "'1X' is no variable's name"),
            ("true", "the answer names no host"),
            ("echo tool is not installed >&2; exit 3", "tool is not installed"),
            ("yes | head -c 200000", "printed more than 65536 bytes"),
        ]
    )
    func noAnswer(_ script: String, _ words: String) async throws {
        let tools = try await ask(script)
        #expect(tools.answers.isEmpty)
        let message = try #require(tools.problems[Self.tool]?.message)
        #expect(message.contains(words), "\(message)")
        var policy = NetworkPolicy()
        tools.grant(to: &policy)
        #expect(policy.isNone)
    }

    @Test("the presets that ship say something of the tools that are there")
    func shipped() async throws {
        var settings = NetworkSettings()
        settings.presets = [PresetName(unchecked: "pip"), PresetName(unchecked: "none")]
        settings.mirrors[PresetName(unchecked: "npm")] = try IndexURL(parsing: "https://npm.example.org/")
        let environment = ProcessInfo.processInfo.environment
            .filter { !$0.key.hasPrefix("PIP_") }
            .merging(["PIP_CONFIG_FILE": "/dev/null"]) { $1 }
        let tools = await ToolIndexes(
            asking: settings,
            in: [Self.shippedPlugins],
            environment: environment.map { "\($0)=\($1)" }
        )
        let pip = try #require(tools.answers[PresetName(unchecked: "pip")], "\(tools.problems)")
        #expect(
            pip.rules.map(\.description) == ["pypi.org", "files.pythonhosted.org"] && pip.variables.isEmpty
        )
        let npm = try #require(tools.answers[PresetName(unchecked: "npm")])
        #expect(npm.variables["npm_config_registry"] == "https://npm.example.org/")
        // Yarn 2 and 3 start with no other of theirs.
        let all = ToolVariables.all(for: NetworkPolicy(npm.rules), tools, roots: "/roots.pem")
        #expect(all.keys.filter { $0.hasPrefix("YARN_") } == ["YARN_NPM_REGISTRY_SERVER"])
        #expect(tools.problems.keys.map(\.rawValue) == ["none"])
    }
}
