// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import DrydockModel
import DrydockProtocol
import Testing

@testable import DrydockObservers

@Suite("Messages of several lines, and files that are not named whole")
struct LineRuleTests {
    private static let tool = """
        {"observer": "1.0", "recorded": ["tool 1"], "commands": ["tool"], "diagnostics": [
          {"pattern": [{"regexp": "^Error at (\\\\S+):(\\\\d+):$", "file": 1, "line": 2},
                       {"regexp": "^(?:  +(\\\\S.*))?$", "message": 1, "join": true}]},
          {"pattern": [{"regexp": "^test (\\\\S+):(\\\\d+): (.+)$", "file": 1, "search": true, "line": 2, "message": 3}]},
          {"pattern": [{"regexp": "^config: (.+)$", "file": "tool.yml", "message": 1}]}]}
        """

    private static func observer(_ json: String) throws -> Observer {
        let document = try BoundedJSONReader.document(Array(json.utf8), "the observer", bounds: JSONBounds())
        return try Observer(document, name: ObserverName(unchecked: "tool"))
    }

    private func observe(_ files: [String], _ lines: [String]) throws -> [Diagnostic] {
        let places = SourcePlaces(
            root: "/w/s",
            directory: "",
            isInSource: { files.contains($0) },
            search: { ending in
                let found = files.filter { $0 == ending || $0.hasSuffix("/" + ending) }
                return found.count == 1 ? found.first : nil
            }
        )
        let catalog = ObserverCatalog([try Self.observer(Self.tool)])
        var observer = CommandObserver(["tool"], catalog: catalog, places: places, readJSON: { _ in nil })
        var told: [Diagnostic] = []
        let tell = { (observation: CommandObserver.Observation) in
            if case .diagnostic(let found, _) = observation { told.append(found) }
        }
        for line in lines {
            Array(line.utf8).withUnsafeBytes { observer.observe($0, isOverwritten: false, tell) }
        }
        observer.finish(tell)
        return told
    }

    @Test("a message goes on until a line does not, which is read for itself, and to the end of the output")
    func joined() throws {
        let told = try observe(
            ["a", "b"],
            ["Error at a:1:", "  one", "", "    two", "config: other", "  three", "Error at b:2:", "  four"]
        )
        #expect(
            told == [
                Diagnostic(severity: .error, message: "one two", file: "a", line: 1),
                Diagnostic(severity: .error, message: "other"),
                Diagnostic(severity: .error, message: "four", file: "b", line: 2),
            ]
        )
    }

    @Test("a message of very many lines is cut")
    func endless() throws {
        let lines = ["Error at a:1:"] + (0..<20_000).map { "  line \($0)" }
        let told = try observe(["a"], lines)
        #expect(told.count == 1)
        #expect((told.first?.message.utf8.count ?? 0) <= 2_000)
        #expect(told.first?.message.hasPrefix("line 0 line 1 ") == true)
    }

    @Test("the end of a path finds the one file that has it, and none of two")
    func searched() throws {
        let files = ["x/a_test.go", "x/b.go", "y/b.go", "xx/za_test.go"]
        let told = try observe(
            files,
            [
                "test a_test.go:3: no", "test b.go:4: no", "test y/b.go:5: no", "test ../a_test.go:6: out",
                "test /a_test.go:7: absolute",
            ]
        )
        #expect(told.map(\.file) == ["x/a_test.go", nil, "y/b.go", nil, nil])
        #expect(told.map(\.line) == [3, nil, 5, nil, nil])
    }

    @Test("a fixed file is a place only where it is in the source")
    func fixed() throws {
        #expect(try observe(["tool.yml"], ["config: no"]).map(\.file) == ["tool.yml"])
        #expect(try observe([], ["config: no"]).map(\.file) == [nil])
    }

    @Test(
        "a rule that can not join is refused with a reason",
        arguments: [
            (#"{"pattern": [{"regexp": "(a)", "message": 1, "join": true}]}"#, "only line"),
            (#"{"pattern": [{"regexp": "(a)", "message": 1}, {"regexp": "b", "join": true}]}"#, "'message'"),
            (
                #"{"pattern": [{"regexp": "(a)", "message": 1, "join": true}, {"regexp": "(b)", "message": 1}]}"#,
                "not the last"
            ),
            (
                #"{"pattern": [{"regexp": "a"}, {"regexp": "(b)", "message": 1, "join": true, "loop": true}]}"#,
                "'loop'"
            ),
            (
                #"{"trace": {"begin": {"regexp": "(a)", "message": 1, "join": true}, "frame": {"regexp": "(b)", "file": 1}, "deepest": "last"}}"#,
                "for 'pattern'"
            ),
            (#"{"pattern": [{"regexp": "(a)", "file": "", "message": 1}]}"#, "file"),
        ]
    )
    func refused(rule: String, reason: String) {
        let problem = #expect(throws: FieldProblem.self) {
            try Self.observer(#"{"observer": "1.0", "diagnostics": [\#(rule)]}"#)
        }
        #expect(problem?.sentence.contains(reason) == true, "\(problem?.sentence ?? "")")
    }
}
