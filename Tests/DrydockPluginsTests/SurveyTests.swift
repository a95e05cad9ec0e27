// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import DrydockModel
import DrydockPlugins
import DrydockSandbox
import Foundation
import Synchronization
import Testing

@Suite("asking plugins", .timeLimit(.minutes(1)))
struct SurveyTests {
    private final class Heard: Sendable {
        private let lines = Mutex<[String]>([])
        var all: [String] { lines.withLock { $0 } }
        func add(_ plugin: PluginName, _ line: String) { lines.withLock { $0.append("\(plugin): \(line)") } }
    }

    private func survey(_ bench: Bench, _ heard: Heard) -> ProjectSurvey {
        ProjectSurvey(
            catalog: PluginCatalog.load(directories: [bench.plugins.path]),
            files: ["it"],
            driver: bench.spec,
            launcher: PlainLauncher(),
            heard: { heard.add($0, $1) }
        )
    }

    @Test("what a driver writes to standard error for detect and plan is heard")
    func standardError() async throws {
        let bench = try Bench()
        let heard = Heard()
        let plugin = try bench.plugin(
            #"echo "in $1" >&2; [ "$1" = detect ] && exit 3; echo "no module named tomllib" >&2; exit 1"#,
            kind: "driver",
            manifest: #","verbs":["run","detect","plan"]"#
        )
        let detection = await survey(bench, heard).detect()
        #expect(detection.candidates.first?.why == "its detection failed: exit status 3: in detect")
        let failure = await #expect(throws: Failure.self) { try await survey(bench, heard).plan(plugin) }
        #expect(failure?.message.hasSuffix("exit status 1: no module named tomllib") == true)
        #expect(heard.all == ["probe: in detect", "probe: in plan", "probe: no module named tomllib"])
    }

    @Test("a driver that never stops complaining is heard for 16 KiB, and its answer counts")
    func flood() async throws {
        let bench = try Bench()
        let heard = Heard()
        _ = try bench.plugin(
            "head -c 1000000 /dev/zero | tr '\\0' '\\n' | sed s/^/xxxxxxx/ >&2; exit 100",
            kind: "driver",
            manifest: #","verbs":["run","detect"]"#
        )
        let detection = await survey(bench, heard).detect()
        #expect(detection.candidates.first?.why == "it says it is not its project")
        #expect((1...2_048).contains(heard.all.count))
    }

    @Test("an answer without end is told as one, and not as somebody's cancel")
    func endlessAnswer() async throws {
        let bench = try Bench()
        _ = try bench.plugin(
            "head -c 1000000 /dev/zero; exit 0",
            kind: "driver",
            manifest: #","verbs":["run","detect"]"#
        )
        let detection = await survey(bench, Heard()).detect()
        #expect(detection.candidates.first?.isBroken == true)
        #expect(detection.candidates.first?.why.contains("answered with more than 256 KiB") == true)
    }
}
