// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import DrydockModel
import DrydockObservers
import Foundation
import Testing

@testable import DrydockPlugins

/// Deliberately broken plugins, and what a check says about each.
@Suite("checking plugins", .timeLimit(.minutes(1)))
struct PluginCheckTests {
    private func check(_ manifest: String) -> [String] {
        ManifestCheck(bytes: Array(manifest.utf8), name: "probe", file: "plugin.json").findings()
            .map { "\($0.line ?? 0) \($0.severity): \($0.message)\($0.hint.map { " (\($0))" } ?? "")" }
    }

    // MARK: Manifests

    @Test("every error of a manifest is told at once, with its line and the nearest key")
    func everyError() {
        let found = check(
            """
            {
              "protocol": "1.0",
              "name": "prob",
              "titel": "Probe",
              "kind": "drivr",
              "detect": {"files": ["a/b"], "scor": 5},
              "stages": [
                {"id": "one", "wait": 1},
                {"id": "one", "weight": 0},
                {"title": "no id"}
              ],
              "requires": {"commands": "make"},
              "timeout": {"step": -1}
            }
            """
        )
        let expected = [
            "3 error: 'name' is 'prob', but its folder or file is named 'probe'",
            "4 error: the manifest has no key 'titel' (did you mean 'title'?)",
            "5 error: 'kind' can not be 'drivr' (did you mean 'driver'?)",
            "6 error: 'detect' has no key 'scor' (did you mean 'score'?)",
            "6 error: the glob 'a/b' of 'detect.files' is not for a name at the top of the project",
            "8 error: 'stages[0]' has no key 'wait' (the keys here are id, title, weight)",
            "9 error: 'stages[1].weight' must lie between 0.001 and 1000000.0",
            "9 error: 'stages[1]' has the id 'one', which stands twice",
            "10 error: 'stages[2].id' is missing",
            "12 error: 'requires.commands' must be a list, not text",
            "13 error: 'timeout.step' must lie between 0.001 and 604800.0",
        ]
        #expect(Set(found) == Set(expected), "\(found.joined(separator: "\n"))")
        #expect(
            found.map { Int($0.prefix { $0.isNumber }) ?? 0 }
                == found.map { Int($0.prefix { $0.isNumber }) ?? 0 }.sorted()
        )
    }

    @Test("without a protocol of ours the rest is read all the same")
    func noProtocol() {
        let found = check(#"{"knd": 1}"#)
        #expect(found.count == 2, "\(found)")
        #expect(found.contains("1 error: 'protocol' is missing"))
        #expect(found.contains("1 error: the manifest has no key 'knd' (did you mean 'kind'?)"))
        #expect(check("{\n,").first?.hasPrefix("2 error: the manifest is not JSON") == true)
    }

    @Test(
        "what a manifest may say and can not mean",
        arguments: [
            (#""stages": [{"id": "two words"}]"#, "error: 'stages[0]' has an id that no record can name"),
            (#""detect": {"score": 5}"#, "warning: 'detect' recognises nothing"),
            (
                #""config": {"properties": {"a": {"enum": []}}}"#,
                "error: 'config.properties.a' allows no value"
            ),
            (
                #""config": {"properties": {"a": {"type": "integer", "enum": ["x"]}}}"#,
                "error: 'config.properties.a' has the choice \"x\", which should be a integer"
            ),
            (
                #""config": {"properties": {"a": {"type": "number", "maxLength": 3}}}"#,
                "error: 'config.properties.a' bounds a text, and is none"
            ),
            (
                #""permits": {"secrets": ["key"]}"#,
                "warning: 'permits.secrets' asks for what nobody can grant"
            ),
        ]
    )
    func doubts(field: String, finding: String) {
        let found = check(#"{"protocol": "1.0", \#(field)}"#)
        #expect(found.count == 1 && found[0].hasPrefix("1 " + finding), "\(found)")
    }

    @Test("a newer minor number is told, and the manifest of a plugin without faults has no findings")
    func fine() {
        #expect(
            check(#"{"protocol": "1.3", "novel": 1}"#).first?.hasPrefix("1 note: 'protocol' is 1.3") == true
        )
        #expect(check(#"{"protocol": "1.0", "stages": [{"id": "a"}]}"#) == [])
    }

    // MARK: Files

    @Test("everything that is wrong with a plugin's files is told at once")
    func files() throws {
        let bench = try Bench()
        try bench.write("#!/bin/sh\n", to: "plugins/5-Probe/plugin")
        try bench.write("{}", to: "plugins/5-Probe/open.txt", mode: 0o666)
        let folder = bench.plugins.appending(path: "5-Probe")
        try FileManager.default.createSymbolicLink(
            at: folder.appending(path: "link"),
            withDestinationURL: URL(filePath: "/etc")
        )
        let found = FolderCheck.findings(directory: bench.plugins.path, entry: "5-Probe").map(\.message)
        #expect(found.contains { $0.hasPrefix("its name does not begin with two digits") }, "\(found)")
        #expect(found.contains("it is a symbolic link"))
        #expect(found.contains(#""open.txt" can be written by others: chmod go-w it"#))
        #expect(found.contains("it has no plugin.json"))

        try bench.write(
            #"{"protocol":"1.0","exec":["run.sh"],"stages":3}"#,
            to: "plugins/50-probe/plugin.json"
        )
        try bench.write("#!/bin/sh\n", to: "plugins/50-probe/run.sh")
        let second = FolderCheck.findings(directory: bench.plugins.path, entry: "50-probe")
        #expect(second.map(\.message).contains(#""run.sh" is not executable: chmod a+rx it"#), "\(second)")
        #expect(second.contains { $0.file == "plugin.json" && $0.line == 1 }, "\(second)")
    }

    @Test("a file's manifest is told with the file's own lines, and its absence is a note")
    func singleFile() throws {
        let bench = try Bench()
        try bench.write(
            "#!/bin/sh\n#\n# drydock: {\"protocol\": 1}\n",
            to: "plugins/50-probe.sh",
            mode: 0o755
        )
        let found = FolderCheck.findings(directory: bench.plugins.path, entry: "50-probe.sh")
        #expect(found.count == 1 && found[0].line == 3 && found[0].file == "50-probe.sh", "\(found)")
        try bench.write("#!/bin/sh\n", to: "plugins/51-bare.sh", mode: 0o755)
        let bare = FolderCheck.findings(directory: bench.plugins.path, entry: "51-bare.sh")
        #expect(bare.map(\.severity) == [.note], "\(bare)")
    }

    @Test("observers that are not there are told")
    func observers() throws {
        let bench = try Bench()
        let plugin = try bench.plugin("true", manifest: #","observers":["mak"]"#)
        var catalog = PluginCatalog.load(directories: [bench.plugins.path])
        let found = SurroundingsCheck.findings(plugin, in: catalog)
        #expect(found.map(\.message) == ["there is no observer 'mak'"])
        let shipped = URL(filePath: #filePath).appending(path: "../../../plugins").standardizedFileURL.path
        catalog = PluginCatalog.load(directories: [bench.plugins.path, shipped])
        #expect(SurroundingsCheck.findings(plugin, in: catalog).first?.hint == "did you mean 'make'?")
        let missing = SurroundingsCheck.findings(missing: ["nonesuch"])
        #expect(missing.map(\.severity) == [.warning])
    }

    // MARK: Verbs

    private func ask(_ script: String, verbs: String, probing: Bool) async throws -> VerbCheck.Result {
        let bench = try Bench()
        let plugin = try bench.plugin(
            "read -r request\n" + script,
            kind: "driver",
            manifest: #","verbs":\#(verbs),"config":{"properties":{}}"#
        )
        let call = VerbCall(driver: bench.spec, files: [], launcher: PlainLauncher())
        return try await VerbCheck(plugin, call, place: "here", isItsOwn: true).ask(probing: probing)
    }

    @Test(
        "what is wrong with the answer to a verb",
        arguments: [
            ("detect", "echo oops", "detect here: the answer is not JSON"),
            ("detect", #"echo '{"score": 101}'"#, "detect here: 'score' must lie between 0 and 100"),
            ("detect", #"echo '{"scor": 1}'"#, "detect here: the answer has no key 'scor'"),
            ("detect", "echo why >&2; exit 3", "detect here: exit status 3: why"),
            ("detect", "kill -9 $$", "detect here: "),
            ("plan", "exit 1", "plan here: exit status 1"),
            ("plan", #"echo '{"steps": []}'"#, "plan here: it is no plan: 'steps' has 0 steps"),
            (
                "plan", #"echo '{"steps": [{"with": {"x": 1}}]}'"#,
                "plan here: step probe: the plugin probe has no parameter"
            ),
            ("selftest", #"printf '1..2\nok 1\nnot ok 2 - sums\n'"#, "a test of its own failed"),
            ("selftest", #"printf '1..3\nok 1\n'"#, "it planned 3 tests, and told of 1"),
            ("selftest", "echo hello", "it has no plan"),
            ("selftest", #"printf '1..0\nBail out! no compiler\n'"#, "it gave up: Bail out! no compiler"),
        ]
    )
    func answers(verb: String, script: String, finding: String) async throws {
        let probe = #"case $1 in \#(verb)) \#(script) ;; run) exit 65 ;; x-future) exit 64 ;; esac"#
        let result = try await ask(probe, verbs: #"["\#(verb)"]"#, probing: true)
        #expect(result.findings.count { $0.severity == .error } == 1, "\(result)")
        #expect(result.findings.contains { $0.message.hasPrefix(finding) }, "\(result)")
    }

    @Test("an unknown verb, bad input and a newer host's field that a driver does not bear are told")
    func probes() async throws {
        let strict = #"case $request in *x-newer*) exit 9 ;; esac; [ "$1" = detect ] && exit 100; exit 0"#
        let result = try await ask(strict, verbs: #"["detect"]"#, probing: true)
        let told = result.findings.map(\.message)
        #expect(told.contains("an unknown verb: exit status 0"), "\(told)")
        #expect(told.contains("run with a request that is no JSON: exit status 0"), "\(told)")
        #expect(
            told.contains { $0.hasPrefix("detect with a field of a newer host: exit status 9; without it") },
            "\(told)"
        )
        #expect(result.asked.contains { $0.what == "detect here" && $0.status == 100 })
    }

    @Test("a yes that has no score is told: nobody would choose the plugin")
    func scoreless() async throws {
        let result = try await ask("exit 0", verbs: #"["detect"]"#, probing: false)
        #expect(
            result.findings.map(\.message) == ["detect here: it says yes with score 0, and is never chosen"]
        )
    }

    @Test("a driver that does all this as it should has no errors, and what it complains of is heard")
    func good() async throws {
        let script = """
            case $1 in
            detect) echo "looking" >&2; echo '{"score": 5, "why": "so"}' ;;
            plan) echo '{"error": {"message": "no"}}' ;;
            selftest) printf '1..1\\nok 1\\nnot ok 2 # todo later\\n' | head -2 ;;
            run) read -r request; exit 65 ;;
            *) exit 64 ;;
            esac
            """
        let result = try await ask(script, verbs: #"["detect", "plan", "selftest"]"#, probing: true)
        #expect(!result.findings.contains { $0.severity > .note }, "\(result.findings)")
        #expect(result.heard.contains("detect here: looking"))
    }
}
