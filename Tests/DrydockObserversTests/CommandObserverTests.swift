// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import DrydockModel
import DrydockProtocol
import Testing

@testable import DrydockObservers

@Suite("What is read off output")
struct CommandObserverTests {
    private static let gcc = """
        {"observer": "1.0", "recorded": ["gcc 12"], "commands": ["gcc", "cc", "*-gcc"], "diagnostics": [
          {"pattern": [{"regexp": "^(.+?):(\\\\d+):(\\\\d+): (fatal error|error|warning|note): (.+)$",
            "file": 1, "line": 2, "column": 3, "severity": 4, "message": 5}]}]}
        """
    private static let make = """
        {"observer": "1.0", "recorded": ["make 4.3"], "commands": ["make"], "includes": ["gcc"],
         "progress": [{"regexp": "^  CC ", "count": "files"}, {"regexp": "^total (\\\\d+)$", "expect": 1, "count": "files"},
                      {"regexp": "^([0-9]+)% done", "percent": 1, "span": [0.5, 1]}],
         "diagnostics": [{"consequence": true, "pattern": [{"regexp": "^make: \\\\*\\\\*\\\\* \\\\[(.+?):(\\\\d+): (.+)$", "file": 1, "line": 2, "message": 3}]}],
         "directories": [{"regexp": "^make(?:\\\\[\\\\d+\\\\])?: Entering directory '(.+)'$", "enter": 1},
                         {"regexp": "^make(?:\\\\[\\\\d+\\\\])?: Leaving directory", "leave": true}],
         "runs": [{"regexp": "^> (.+)$", "command": 1}]}
        """
    private static let python = """
        {"observer": "1.0", "recorded": ["python 3.11"], "commands": ["python3*"], "diagnostics": [
          {"trace": {"begin": {"regexp": "^Traceback \\\\(most recent call last\\\\):$"},
            "frame": {"regexp": "^  File \\"(.+)\\", line (\\\\d+)", "file": 1, "line": 2},
            "end": {"regexp": "^(\\\\w\\\\S*.*)$", "message": 1}, "deepest": "last"}}]}
        """
    private static let node = """
        {"observer": "1.0", "recorded": ["node 18"], "commands": ["node"], "diagnostics": [
          {"trace": {"begin": {"regexp": "^(?:Uncaught )?(\\\\w*Error: .+)$", "message": 1},
            "frame": {"regexp": "^ +at .*?\\\\(?(/[^():]+):(\\\\d+):(\\\\d+)\\\\)?$", "file": 1, "line": 2, "column": 3}, "deepest": "first"}}]}
        """
    private static let rust = """
        {"observer": "1.0", "recorded": ["rustc 1"], "commands": ["cargo"], "progress": [
            {"regexp": "Building \\\\[.*\\\\] (\\\\d+)/(\\\\d+)", "current": 1, "total": 2, "overwritten": true}],
         "diagnostics": [{"pattern": [
          {"regexp": "^(error|warning)(?:\\\\[(\\\\w+)\\\\])?: (.+)$", "severity": 1, "code": 2, "message": 3},
          {"regexp": "^ +--> (.+):(\\\\d+):(\\\\d+)$", "file": 1, "line": 2, "column": 3, "within": 2, "optional": true}]}]}
        """
    private static let eslint = """
        {"observer": "1.0", "recorded": ["eslint 6"], "commands": ["eslint"], "diagnostics": [{"pattern": [
          {"regexp": "^(/\\\\S+)$", "file": 1},
          {"regexp": "^ +(\\\\d+):(\\\\d+) +(error|warning) +(.+?) {2,}(\\\\S+)$", "line": 1, "column": 2, "severity": 3, "message": 4, "code": 5, "loop": true}]}]}
        """

    private func catalog() throws -> ObserverCatalog {
        let files = [
            ("gcc", Self.gcc), ("make", Self.make), ("python", Self.python), ("node", Self.node),
            ("cargo", Self.rust),
            ("eslint", Self.eslint),
        ]
        return ObserverCatalog(try files.map { try observer($0.1, $0.0) })
    }

    private func observer(_ json: String, _ name: String) throws -> Observer {
        let document = try BoundedJSONReader.document(
            Array(json.utf8),
            "the observer",
            bounds: JSONBounds(depth: 16, fields: 4_096, elements: 4_096)
        )
        return try Observer(document, name: ObserverName(unchecked: name))
    }

    private func observe(
        _ argv: [String],
        _ lines: [String],
        files: Set<String> = []
    ) throws -> [CommandObserver.Observation] {
        var seen: [CommandObserver.Observation] = []
        let places = SourcePlaces(root: "/w/s", directory: "") { files.contains($0) }
        var observer = CommandObserver(
            argv,
            catalog: try catalog(),
            places: places,
            readJSON: { try? BoundedJSONReader.read($0, bounds: .diagnostic) }
        )
        for line in lines {
            let isOverwritten = line.hasSuffix("\r")
            Array((isOverwritten ? String(line.dropLast()) : line).utf8).withUnsafeBytes {
                observer.observe($0, isOverwritten: isOverwritten) { seen.append($0) }
            }
        }
        observer.finish { seen.append($0) }
        return seen
    }

    private func error(
        _ message: String,
        _ file: String? = nil,
        _ line: Int? = nil,
        _ column: Int? = nil,
        code: String? = nil,
        severity: Diagnostic.Severity = .error,
        isConsequence: Bool = false
    ) -> CommandObserver.Observation {
        let diagnostic = Diagnostic(
            severity: severity,
            message: message,
            file: file,
            line: line,
            column: column,
            code: code
        )
        return .diagnostic(diagnostic, isConsequence: isConsequence)
    }

    @Test("units are counted, expected, and never more than there are; a span is a part of the whole")
    func progress() throws {
        let seen = try observe(
            ["make"],
            ["  CC a.o", "  CC b.o", "total 3", "  CC c.o", "  CC d.o", "40% done", "140% done"]
        )
        #expect(
            seen == [
                .units("files", seen: 1, total: nil), .units("files", seen: 2, total: nil),
                .units("files", seen: 2, total: 3), .units("files", seen: 3, total: 3),
                .units("files", seen: 4, total: 4),
                .progress(current: 70, total: 100, unit: "%"),
            ]
        )
    }

    @Test("an error of the compiler is found below make, in the directory that make entered, once")
    func directories() throws {
        let seen = try observe(
            ["env", "CC=gcc", "make", "-j2"],
            [
                "make[1]: Entering directory '/w/s/lib'", "a.c:3:5: error: expected ';'",
                "a.c:3:7: error: expected ';'",
                "make[1]: Leaving directory '/w/s/lib'", "a.c:3:5: warning: unused",
                "../src/b.c:1:1: error: from a build directory",
                "/usr/include/x.h:1:1: error: not the project's", "make: *** [Makefile:3: all] Error 2",
            ],
            files: ["lib/a.c", "src/b.c", "Makefile"]
        )
        #expect(
            seen == [
                error("expected ';'", "lib/a.c", 3, 5), error("unused", severity: .warning),
                error("from a build directory", "src/b.c", 1, 1), error("not the project's"),
                error("all] Error 2", "Makefile", 3, isConsequence: true),
            ]
        )
    }

    @Test("the deepest frame inside the project is the place, from either end")
    func traces() throws {
        let python = try observe(
            ["sh", "-ec", "cd x && python3 -m app"],
            [
                "Traceback (most recent call last):", "  File \"/w/s/app.py\", line 3, in <module>",
                "    work()",
                "  File \"/usr/lib/python3/x.py\", line 9, in work", "    ~~~^^", "KeyError: 'x'",
                "KeyError: 'not in a trace'",
            ],
            files: ["app.py"]
        )
        #expect(python == [error("KeyError: 'x'", "app.py", 3)])
        let node = try observe(
            ["node", "x.js"],
            [
                "TypeError: no", "    at inner (/usr/share/nodejs/x.js:1:2)", "    at f (/w/s/lib/a.js:7:3)",
                "    at /w/s/b.js:9:1", "",
                "Error: without frames", "",
            ],
            files: ["lib/a.js", "b.js"]
        )
        #expect(node == [error("TypeError: no", "lib/a.js", 7, 3)])
    }

    @Test("lines in a row make one diagnostic, and a line that does not come may be missing")
    func rows() throws {
        let rust = try observe(
            ["cargo", "build"],
            [
                "   Building [==>  ] 3/9: x\r", "Building [=>] 4/9", "error[E0425]: cannot find x",
                "  --> src/main.rs:2:5", "   |",
                "error: linking failed", "note", "and", "  --> src/late.rs:1:1",
            ],
            files: ["src/main.rs", "src/late.rs"]
        )
        #expect(
            rust == [
                .progress(current: 3, total: 9, unit: nil),
                error("cannot find x", "src/main.rs", 2, 5, code: "E0425"),
                error("linking failed"),
            ]
        )
        let eslint = try observe(
            ["eslint", "."],
            [
                "/w/s/a.js", "  1:2  error  Bad thing  no-bad", "  3:4  warning  Odd  odd", "", "/w/s/b.js",
                "  9:9  error  Worse  no-worse",
            ],
            files: ["a.js", "b.js"]
        )
        #expect(
            eslint == [
                error("Bad thing", "a.js", 1, 2, code: "no-bad"),
                error("Odd", "a.js", 3, 4, code: "odd", severity: .warning),
                error("Worse", "b.js", 9, 9, code: "no-worse"),
            ]
        )
    }

    @Test("of a program that nobody knows only what rises counts, and errors in the project's files")
    func unknown() throws {
        let seen = try observe(
            ["./build.sh"],
            [
                "[1/2] cup of sugar", "50% of the people", "[1/2] cup of sugar", "(3/9) a", "[4/9] b",
                " [5/9] c", "12:30: error: no",
                "a.c:1:2: error: yes", "b.c:1:2: error: no such file", "  CC x.o",
            ],
            files: ["a.c"]
        )
        #expect(seen == [.progress(current: 4, total: 9, unit: nil), error("yes", "a.c", 1, 2)])
    }

    @Test("what the output says runs next is read from there on")
    func runs() throws {
        let lines = ["error: before", "> cargo build --release", "error: after"]
        #expect(try observe(["make"], lines) == [error("after")])
    }

    @Test(
        "which programs a command names",
        arguments: [
            (["cmake", "-B", "b"], ["cmake"]), (["/usr/bin/env", "-i", "A=b", "make"], ["make"]),
            (["sh", "-euc", "cd x; CC=gcc make -j2 | tee log && ./run"], ["cd", "make", "tee", "run"]),
            (["python3", "-I", "-m", "pip.x", "wheel"], ["python3", "pip"]),
            (["nice", "-n", "10", "timeout", "5m", "ninja"], ["ninja"]),
            (
                [
                    "sh", "-euc", "PATH=\"$1/bin:$PATH\"; shift; exec \"$@\"", "sh", "/w/venv", "python3",
                    "-m", "pytest",
                ], ["shift", "python3", "pytest"]
            ),
            (["sh", "-c", "shift -1; make"], ["shift", "make"]),
            (["sh", "-c", "shift 99; \"$@\""], ["shift"]),
            (["uv", "run", "pytest"], ["uv", "pytest"]), (["uv", "pip", "install"], ["uv"]),
            (["npx", "-y", "tsc"], ["npx", "tsc"]),
            (["sh", "script.sh"], ["sh", "script.sh"]),
            (["sh", "./configure", "--prefix=/usr"], ["sh", "configure"]),
            (["env", "A=b", "bash", "-e", "x/configure"], ["bash", "configure"]), (["sh", "-c"], ["sh"]),
            (["make", "&&", "sh"], ["make"]), (["sh", "sh", "sh", "./a"], ["sh", "sh", "sh", "a"]), ([], []),
            (["$X"], []),
            (["python3", "-m", "."], ["python3"]), (["python3", "-m", "a/b.c"], ["python3", "b"]),
        ]
    )
    func words(argv: [String], programs: [String]) { #expect(CommandWords.programs(of: argv) == programs) }

    /// One call inside another for each word would end the process.
    @Test(
        "a command of a hundred thousand programs that start each other is read to a bound",
        arguments: ["npx", "uv run", "python3 -m x"]
    )
    func deep(word: String) {
        let line = String(repeating: word + " ", count: 100_000)
        #expect(CommandWords.programs(of: ["sh", "-c", line]).count <= 32)
        #expect(CommandWords.programs(of: line.split(separator: " ").map(String.init)).count <= 32)
    }

    @Test(
        "a wrong observer is refused with a reason",
        arguments: [
            ("{}", "observer"), ("{\"observer\": \"2.0\"}", "format"),
            ("{\"observer\": \"1.0\", \"x\": 1}", "x"),
            ("{\"observer\": \"1.0\", \"progress\": [{\"regexp\": \"(a)\", \"percent\": 1}]}", "recorded"),
            (
                "{\"observer\": \"1.0\", \"diagnostics\": [{\"pattern\": [{\"regexp\": \"(a\", \"message\": 1}]}]}",
                "without ')'"
            ),
            (
                "{\"observer\": \"1.0\", \"diagnostics\": [{\"pattern\": [{\"regexp\": \"(a)\", \"message\": 2}]}]}",
                "group 2"
            ),
            (
                "{\"observer\": \"1.0\", \"diagnostics\": [{\"pattern\": [{\"regexp\": \"(a)\", \"file\": 1}]}]}",
                "message"
            ),
            ("{\"observer\": \"1.0\", \"environment\": {\"LD_PRELOAD\": \"x\"}}", "LD_PRELOAD"),
            ("{\"observer\": \"1.0\", \"environment\": {\"PATH\": \"x\"}}", "PATH"),
        ]
    )
    func wrong(json: String, reason: String) {
        let problem = #expect(throws: FieldProblem.self) { try observer(json, "x") }
        #expect(problem?.sentence.contains(reason) == true, "\(problem?.sentence ?? "")")
    }

    @Test(
        "a line of nothing but escape sequences tells nothing",
        arguments: [
            "\u{1B}[0m", "\u{1B}[K", "\u{1B}", "\u{1B}[", "\u{1B}]0;title\u{7}", "\u{1B}[1m\u{1B}[0m",
            "\u{1B}[mx",
        ]
    )
    func escapes(line: String) throws {
        #expect(try observe(["make"], [line, line + "\r"]) == [])
        #expect(
            try observe(["gcc"], ["\u{1B}[1ma.c:1:2:\u{1B}[0m \u{1B}[31merror: \u{1B}[0mx"]) == [error("x")]
        )
    }

    /// Every access to the bytes is checked in this build: one outside of a line ends the test's process.
    @Test("whatever is printed, nothing is read outside of it")
    func anything() throws {
        var numbers = SystemRandomNumberGenerator()
        let words = [
            "\u{1B}", "\u{1B}[", "\u{1B}]", "m", "K", ";", "[", "]", "(", ")", "/", "%", ":", " ", "\t", "0",
            "1", "100",
            "99999999999", "a", "a.c", "error: ", "warning: ", "fatal error: ",
            "Traceback (most recent call last):", "  File \"",
            "\", line ", "\u{FF}", "> cargo", "> make", "make: Entering directory '", "'", "/w/s/../..",
            "  --> ", "    at (",
        ]
        let lines = (0..<20_000).map { _ in
            (0..<Int.random(in: 0...8, using: &numbers)).map { _ in words.randomElement(using: &numbers) ?? ""
            }.joined()
        }
        _ = try observe(["sh", "-c", "make; python3 x; node y; eslint"], lines, files: ["a.c", "a"])
    }
}
