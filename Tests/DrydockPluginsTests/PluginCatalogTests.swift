// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import DrydockModel
import DrydockPlugins
import DrydockTestSupport
import Foundation
import Testing

@Suite("plugin catalogs")
struct PluginCatalogTests {
    private func load(_ bench: Bench) -> PluginCatalog {
        PluginCatalog.load(directories: [bench.plugins.path])
    }

    @Test(
        "what is no plugin is listed with its reason",
        arguments: [
            ("zip.sh", "", mode_t(0o755), "two digits"), ("50-Zip.sh", "", 0o755, "no plugin name"),
            ("50-zip.sh", "", 0o644, "not executable"), ("50-zip.sh", "", 0o777, "written by others"),
            ("50-zip.json", "{}", 0o644, "without its plugin"),
            ("50-zip/plugin", "", 0o755, "no plugin.json"),
            ("50-zip/plugin.json", "{", 0o644, "not JSON"),
            ("50-zip/plugin.json", "[]", 0o644, "must be a table, not a list"),
            ("50-zip/plugin.json", "{}", 0o644, "'protocol' is missing"),
            ("50-zip/plugin.json", #"{"protocol":"2.0"}"#, 0o644, "speaks protocol 2.0"),
            ("50-zip/plugin.json", #"{"protocol":"x"}"#, 0o644, "should be like"),
            ("50-zip/plugin.json", #"{"protocol":1}"#, 0o644, "must be text, not a number"),
            ("50-zip/plugin.json", #"{"protocol":"1.0","detects":{}}"#, 0o644, "did you mean 'detect'?"),
            ("50-zip/plugin.json", #"{"protocol":"1.0","name":"zap"}"#, 0o644, "named 'zip'"),
            ("50-zip/plugin.json", #"{"protocol":"1.0","kind":"boss"}"#, 0o644, "driver, guest"),
            ("50-zip/plugin.json", #"{"protocol":"1.0","detect":{"score":101}}"#, 0o644, "between 0 and 100"),
            (
                "50-zip/plugin.json", #"{"protocol":"1.0","detect":{"files":["a/b"]}}"#, 0o644,
                "top of the project"
            ),
            ("50-zip/plugin.json", #"{"protocol":"1.0","verbs":["detect"]}"#, 0o644, "no verbs but run"),
            (
                "50-zip/plugin.json", "{\n\"protocol\":\n\"1.0\",\n\"title\": 1}", 0o644,
                "line 4: 'title' must be text"
            ),
            ("50-zip/plugin.json", #"{"protocol":"1.0"}"#, 0o644, "no file \"plugin\""),
            ("50-zip.x/plugin.json", #"{"protocol":"1.0"}"#, 0o644, "no extension"),
        ]
    )
    func invalid(path: String, content: String, mode: mode_t, reason: String) throws {
        let bench = try Bench()
        try bench.write(content, to: "plugins/" + path, mode: mode)
        let catalog = load(bench)
        #expect(catalog.plugins.isEmpty)
        #expect(catalog.invalid.count == 1)
        #expect(catalog.invalid.first?.reason.contains(reason) == true, "\(catalog.invalid)")
    }

    @Test("links inside a plugin, open folders and a missing directory are refused")
    func untrusted() throws {
        let bench = try Bench()
        _ = try bench.plugin("true")
        try FileManager.default.createSymbolicLink(
            at: bench.plugins.appending(path: "50-probe/link"),
            withDestinationURL: URL(filePath: "/etc/passwd")
        )
        #expect(load(bench).invalid.first?.reason.contains("symbolic link") == true)
        chmod(bench.plugins.path, 0o777)
        #expect(load(bench).invalid.first?.reason.contains("written by others") == true)
        #expect(PluginCatalog.load(directories: ["/nowhere"]).invalid.map(\.path) == ["/nowhere"])
    }

    @Test("one file is a guest, with its manifest in a comment or beside it")
    func singleFile() throws {
        let bench = try Bench()
        let comment =
            "#!/bin/sh\n# drydock: {\"protocol\":\"1.0\",\"title\":\"Zip\",\"detect\":{\"files\":[\"z\"]}}\n"
        try bench.write(comment, to: "plugins/50-zip.sh", mode: 0o755)
        try bench.write("#!/bin/sh\n", to: "plugins/60-tar.sh", mode: 0o755)
        try bench.write(#"{"protocol":"1.0","title":"Tar"}"#, to: "plugins/60-tar.json")
        try bench.write("#!/bin/sh\n", to: "plugins/70-bare.sh", mode: 0o755)
        let catalog = load(bench)
        #expect(catalog.invalid.isEmpty)
        #expect(catalog.plugins.map(\.manifest.title) == ["Zip", "Tar", "bare"])
        #expect(catalog["zip"]?.command == ["/plugin/50-zip.sh"])
    }

    @Test("the first of two plugins of a name is used, the other one listed")
    func shadowed() throws {
        let bench = try Bench()
        _ = try bench.plugin("true")
        try bench.write("#!/bin/sh\n", to: "plugins/60-probe.sh", mode: 0o755)
        let catalog = load(bench)
        #expect(catalog.plugins.map(\.order) == [50])
        #expect(catalog.shadowed.map(\.plugin.order) == [60])
    }

    @Test("the digest covers every byte of the folder and of the library")
    func digest() throws {
        let bench = try Bench()
        let before = try bench.plugin("true").digest
        #expect(load(bench)["probe"]?.digest == before)
        try bench.write("x", to: "plugins/50-probe/data")
        let withData = load(bench)["probe"]?.digest
        try bench.write("x", to: "plugins/lib/helper.sh")
        let withLibrary = load(bench)["probe"]?.digest
        #expect(Set([before, withData, withLibrary]).count == 3)
    }

    @Test(
        "a glob fits all of a name",
        arguments: [
            ("*.py", "a.py", true), ("*.py", ".py", true), ("*.py", "a.pyc", false), ("a?c", "abc", true),
            ("[a-c]x", "bx", true), ("[!a-c]x", "bx", false), ("[!a-c]x", "dx", true),
            ("*a*b*", "xaxbx", true),
            ("Makefile", "makefile", false), ("", "", true), ("*", "", true), ("[", "[", true),
        ]
    )
    func glob(pattern: String, name: String, fits: Bool) {
        #expect(Glob.matches(pattern, name) == fits)
    }

    @Test("a pattern of many stars costs no more than pattern times name")
    func globCost() {
        let pattern = String(repeating: "*a", count: 100) + "b"
        #expect(!Glob.matches(pattern, String(repeating: "a", count: 10_000)))
    }
}
