// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import DrydockModel
import DrydockProtocol
import Testing

@testable import DrydockObservers

@Suite("Diagnostics that are lines of JSON")
struct JSONRuleTests {
    private static let tool = """
        {"observer": "1.0", "recorded": ["tool 1"], "commands": ["tool"], "diagnostics": [
          {"json": {"regexp": "^\\\\{\\"tool\\"", "at": "what", "message": "text", "severity": "level", "code": "code.id",
            "file": "spans[main=true].file", "line": "spans[main=true].line", "column": "spans[main=true].column",
            "help": "notes[level=help].text"}},
          {"pattern": [{"regexp": "^(.*)error: (.+)$", "message": 2}]}]}
        """

    private static func observer(_ json: String) throws -> Observer {
        let document = try BoundedJSONReader.document(Array(json.utf8), "the observer", bounds: JSONBounds())
        return try Observer(document, name: ObserverName(unchecked: "tool"))
    }

    private func observe(_ lines: String...) throws -> [Diagnostic] {
        var observer = CommandObserver(
            ["tool"],
            catalog: ObserverCatalog([try Self.observer(Self.tool)]),
            places: SourcePlaces(root: "/w/s", directory: "") { ["a.c", "b.c"].contains($0) },
            readJSON: { try? BoundedJSONReader.read($0, bounds: .diagnostic) }
        )
        var told: [Diagnostic] = []
        for line in lines {
            Array(line.utf8).withUnsafeBytes {
                observer.observe($0, isOverwritten: false) { observation in
                    if case .diagnostic(let found, _) = observation { told.append(found) }
                }
            }
        }
        return told
    }

    private func line(_ text: String, _ more: String = "") -> String {
        """
        {"tool": 1, "what": {"text": "\(text)", "level": "error", "code": {"id": "E1"}, "spans": [\
        {"main": false, "file": "a.c", "line": 1}, {"main": true, "file": "b.c", "line": 7, "column": 3}]\(more)}}
        """
    }

    @Test("the place is that of the element that is asked for, and help stands behind the message")
    func place() throws {
        let plain = Diagnostic(severity: .error, message: "no", file: "b.c", line: 7, column: 3, code: "E1")
        #expect(try observe(line("no")) == [plain])
        var helped = plain
        helped.message = "bad; help: do"
        let notes = #", "notes": [{"level": "note", "text": "x"}, {"level": "help", "text": "do"}]"#
        #expect(try observe(line("bad", notes)) == [helped])
    }

    @Test("a line of JSON may be longer than a line of text, to a bound")
    func long() throws {
        let pages = { (size: Int) in line("no", #", "page": "\#(String(repeating: "x", count: size))""#) }
        #expect(try observe(pages(5_000)).map(\.line) == [7])
        #expect(try observe(pages(70_000)).isEmpty)
    }

    @Test(
        "what is no diagnostic tells nothing",
        arguments: [
            #"{"tool": 1}"#, #"{"tool": 1, "what": 7}"#,
            #"{"tool": 1, "what": {"text": "x", "level": "odd"}}"#,
            #"{"tool": 1, "what": {"text": "", "level": "error"}}"#,
            #"{"tool": 1, "what": {"level": "error"}}"#,
            #"{"tool": 1, "what": {"text": ["error"], "level": "error"}}"#,
            #"{"tool": \#(String(repeating: "[", count: 20_000))"#,
        ]
    )
    func nothing(line: String) throws { #expect(try observe(line).isEmpty) }

    @Test("a line that only begins like JSON is text; places that can not be are none")
    func odd() throws {
        #expect(try observe(#"{"tool" error: text"#).map(\.message) == ["text"])
        let outside =
            #"{"tool": 1, "what": {"text": "x", "level": "error", "spans": [{"main": true, "file": "/etc/x", "line": 1}]}}"#
        #expect(try observe(outside) == [Diagnostic(severity: .error, message: "x")])
        let negative =
            #"{"tool": 1, "what": {"text": "x", "level": "error", "spans": [{"main": true, "file": "a.c", "line": -1, "column": 1.5}]}}"#
        #expect(try observe(negative) == [Diagnostic(severity: .error, message: "x", file: "a.c")])
    }

    @Test(
        "a way that leads nowhere is refused with a reason",
        arguments: ["a..b", "", "a[", "a[b]", "a[b=c", "a[=c]", "[a=b]", "a[b=c]d", "a.b.c.d.e.f.g.h.i"]
    )
    func wrong(path: String) {
        let json = """
            {"observer": "1.0", "recorded": ["x"], "diagnostics": [
              {"json": {"regexp": "^x", "message": "\(path)", "severity": "level"}}]}
            """
        #expect(throws: FieldProblem.self) { try Self.observer(json) }
    }
}
