// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import DrydockModel
import DrydockPlugins
import DrydockSandbox
import DrydockTestSupport
import Foundation
import Testing

/// The plugins of `plugins/`, on the projects of `examples/`, without a sandbox.
@Suite("shipped plugins", .timeLimit(.minutes(2)))
struct ShippedPluginTests {
    private static let repository = URL(filePath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

    private static let catalog = PluginCatalog.load(directories: [
        repository.appending(path: "plugins").path,
        repository.appending(path: "examples/own-plugin/plugins").path,
    ])

    @Test("all of them are valid")
    func valid() {
        #expect(Self.catalog.invalid.isEmpty, "\(Self.catalog.invalid)")
        #expect(
            Self.catalog.plugins.map(\.name) == [
                "swift", "cargo", "go", "python", "maven", "gradle", "cmake", "node", "meson", "make", "hugo",
                "jekyll", "greeter", "static", "script",
            ]
        )
    }

    @Test(
        "each example is recognised and built by its plugin",
        arguments: [
            ("c-hello", "make", "usr/local/bin/hello"), ("static-site", "static", "site/style.css"),
            ("python-wordcount", "python", "wordcount-1.0.0-py3-none-any.whl"),
            ("own-plugin/project", "greeter", "greetings.txt"),
        ]
    )
    func example(name: String, plugin: PluginName, result: String) async throws {
        let bench = try Bench()
        try FileManager.default.removeItem(at: bench.source)
        try FileManager.default.copyItem(
            at: Self.repository.appending(path: "examples/\(name)"),
            to: bench.source
        )
        let files = try FileManager.default.contentsOfDirectory(atPath: bench.source.path).sorted()
        let survey = ProjectSurvey(
            catalog: Self.catalog,
            files: files,
            driver: bench.spec,
            launcher: PlainLauncher()
        )
        let detection = await survey.detect()
        #expect(detection.winner?.plugin == plugin, "\(detection.candidates)")
        let used = try #require(Self.catalog[plugin])
        let report = await bench.run(used)
        #expect(report.failure == nil, "\(bench.sink.log(.out, .err, .plugin, .host).suffix(10))")
        #expect(FileManager.default.fileExists(atPath: bench.out.appending(path: result).path))
    }

    @Test("without an install, the programs and libraries that make leaves are given out, and nothing else")
    func collects() async throws {
        let bench = try Bench()
        let makefile = """
            all:
            \tprintf 'int main(void) { return 0; }' > "a b.c"
            \tmkdir -p bin && cc -o "bin/a program" "a b.c" && cc -c -o part.o "a b.c" && ar rc libpart.a part.o
            \tprintf '#!/bin/sh\\n' > script.sh && chmod +x script.sh
            """
        try bench.write(makefile, to: "source/Makefile")
        let report = await bench.run(try #require(Self.catalog["make"]))
        #expect(report.failure == nil, "\(bench.sink.log(.out, .err, .plugin, .host).suffix(10))")
        let given = try FileManager.default.contentsOfDirectory(atPath: bench.out.path).sorted()
        #expect(given == ["a program", "libpart.a"])
    }

    @Test("a Python package is built without its tests, unless they are asked for")
    func pythonTests() async throws {
        let bench = try Bench()
        try bench.write("import nonesuch\n", to: "source/tests/test_it.py")
        try bench.write("", to: "source/tests/__init__.py")
        try bench.write("print(1)\n", to: "source/it.py")
        let plugin = try #require(Self.catalog["python"])
        let plain = await bench.run(plugin)
        #expect(plain.failure == nil)
        #expect(FileManager.default.fileExists(atPath: bench.out.appending(path: "it.py").path))
        let asked = await bench.run(plugin, with: .object(["tests": .bool(true)]))
        #expect(asked.failure?.message == "the tests failed")
        // Outside of the sandbox its files are at other places: no line of source.
        #expect(asked.failure?.details?.cause?.message == "ModuleNotFoundError: No module named 'nonesuch'")
    }

    @Test("the script plugin's last command decides")
    func script() async throws {
        let bench = try Bench()
        let plugin = try #require(Self.catalog["script"])
        let good = await bench.run(plugin, with: .object(["run": .string("false\necho done")]))
        #expect(good.failure == nil)
        let bad = await bench.run(plugin, with: .object(["run": .string("exit 3")]))
        #expect(bad.failure?.code == .stepFailed)
    }
}
