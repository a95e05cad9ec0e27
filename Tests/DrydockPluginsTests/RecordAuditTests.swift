// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import DrydockModel
import DrydockObservers
import DrydockProtocol
import Foundation
import Testing

@testable import DrydockPlugins

/// What a check says about the records of a run.
@Suite("checking records", .timeLimit(.minutes(1)))
struct RecordAuditTests {
    private func run(
        _ script: String,
        kind: String = "driver",
        isNovel: Bool = false
    ) async throws -> (findings: [PluginFinding], report: StepReport, log: [String]) {
        let bench = try Bench()
        let plugin = try bench.plugin(script, kind: kind, manifest: #","stages":[{"id":"work"}]"#)
        let audit = RecordAudit(plugin, observers: [ObserverName(unchecked: "make")])
        let report = await bench.run(plugin) { context in
            context.inspection = StepInspection(audit: audit, isNovel: isNovel)
        }
        return (audit.findings, report, bench.sink.log(.host))
    }

    @Test(
        "each record that a driver's host passes over is told with its line",
        arguments: [
            ("@dd nonesuch 1", "this version of Drydock does not know the record \"nonesuch\""),
            ("@dd stag work", "this version of Drydock does not know the record \"stag\""),
            (
                #"@dd {"t":"stage","id":"work","titel":"x"}"#,
                "the record 'stage' has no key 'titel', which nobody reads"
            ),
            (
                #"@dd {"t":"progress","current":"much"}"#,
                "no valid record: 'current' must be a number, not text"
            ),
            ("@dd stage two words x y", "no valid record: "),
            ("@dd stage tests", "the manifest has no stage \"tests\": it has no weight"),
            (#"@dd {"t":"exec","id":"a","argv":["true"],"observer":"mak"}"#, "there is no observer 'mak'"),
            ("@dd{\"t\":\"stage\"}", "it looks like a record, and is log text"),
            ("  @dd stage work", "it looks like a record, and is log text"),
            (
                "@dd diag error -- " + String(repeating: "x", count: 40_000),
                "no valid record: 'message' is longer"
            ),
            ("@dd log -- " + String(repeating: "x", count: 70_000), "the line is longer than 64 KiB"),
        ]
    )
    func driver(line: String, finding: String) async throws {
        let script = "echo '@dd hello'\ncat <<'END'\n\(line)\nEND\necho '@dd end ok'"
        let findings = try await run(script).findings
        #expect(findings.count == 1, "\(findings)")
        #expect(findings.first?.message.hasPrefix(finding) == true, "\(findings)")
        #expect(findings.first?.line == 2)
        #expect((findings.first?.said?.count ?? 0) <= 161)
    }

    @Test("a repeated mistake is told once, with how often")
    func repeated() async throws {
        let findings = try await run(
            "echo '@dd hello'; for i in 1 2 3; do echo '@dd stag work'; done; echo '@dd end ok'"
        ).findings
        #expect(findings.count == 1 && findings[0].message.hasSuffix("(and 2 more like it)"), "\(findings)")
    }

    @Test("no end, no word at all, and words after the end are told")
    func ends() async throws {
        #expect(
            try await run("echo '@dd hello'").findings.map(\.message) == [
                "it said \"hello\", and never \"end\""
            ]
        )
        #expect(try await run("echo text").findings.map(\.severity) == [.warning])
        let after = try await run("echo '@dd hello'; echo '@dd end ok'; echo '@dd stage work'").findings
        #expect(after.map(\.message) == ["nothing after \"end\" counts"])
    }

    @Test("what is beyond a limit of the protocol is told as the host refuses it")
    func limits() async throws {
        let many =
            "echo '@dd hello'; i=0; while [ $i -lt 65 ]; do i=$((i+1)); echo \"@dd mask -- secret$i\"; done; echo '@dd end ok'"
        let findings = try await run(many).findings
        #expect(findings.map(\.message) == ["the host refuses it: there may be at most 64 masks"])
        #expect(findings.first?.said == "@dd mask …", "a secret is shown: \(findings)")
    }

    @Test(
        "each record in which a guest has no say is told, in the check and once in its log",
        arguments: [
            (
                "@dd exec a -- true", "a guest has no say in \"exec\"",
                "a guest has no say in \"exec\"; a driver has"
            ),
            (
                "@dd stage test", "the manifest has no stage \"test\"",
                "the manifest of probe has no stage \"test\""
            ),
            (
                "@dd stage work end", "the host ends a guest's stages",
                "a guest's stages are ended by the host"
            ),
            (
                "@dd future", "this version of Drydock does not know",
                "this version does not know the record \"future\""
            ),
        ]
    )
    func guest(line: String, finding: String, told: String) async throws {
        let result = try await run("echo '\(line)'\necho '\(line)'", kind: "guest")
        #expect(result.findings.count == 1, "\(result.findings)")
        #expect(result.findings.first?.message.contains(finding) == true, "\(result.findings)")
        #expect(
            result.log.count == 1 && result.log[0].hasPrefix("The next line is log text: \(told)"),
            "\(result.log)"
        )
    }

    @Test("a host that says more than this version fails a driver that takes it for an answer, and no other")
    func newerHost() async throws {
        let begin = "read -r welcome; read -r request; echo '@dd hello'; echo '@dd exec a -- true'\n"
        let naive =
            begin + #"read -r a; read -r b; case $b in *exec.end*) echo '@dd end ok' ;; *) exit 1 ;; esac"#
        #expect(try await run(naive).report.failure == nil)
        #expect(try await run(naive, isNovel: true).report.failure != nil)
        let sound =
            begin
            + #"while read -r a; do case $a in *exec.end*) echo '@dd end ok'; exit 0 ;; esac; done; exit 1"#
        let report = try await run(sound, isNovel: true).report
        #expect(report.failure == nil, "\(report)")
    }

    @Test("the fields that records may have are those of docs/plugin-protocol.md")
    func fields() throws {
        let page = URL(filePath: #filePath).appending(path: "../../../docs/plugin-protocol.md")
            .standardizedFileURL
        let text = try String(contentsOf: page, encoding: .utf8)
        let table = text.split(separator: "\n").drop { !$0.hasPrefix("| type | fields") }.dropFirst(2)
            .prefix { $0.hasPrefix("| `") }
        #expect(table.count == PluginRecord.types.count)
        for row in table {
            let cells = row.split(separator: "|").map { $0.trimmingCharacters(in: .whitespaces) }
            let type = cells[0].trimmingCharacters(in: ["`"])
            // What stands in brackets are values.
            let fields = cells[1].replacing(#/\([^)]*\)/#, with: "").matches(of: #/`([a-z]+)`/#).map {
                String($0.1)
            }
            #expect(Set(PluginRecord.fields[type] ?? []) == Set(fields), "\(type)")
        }
    }
}
