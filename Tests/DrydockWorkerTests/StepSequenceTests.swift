// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import DrydockModel
import DrydockTestSupport
import Testing

@testable import DrydockWorker

@Suite("the order of steps, the choice of artifacts, the wish to stop")
struct StepSequenceTests {
    private func step(_ id: StepID, needs: StepID...) -> PlannedStep {
        PlannedStep(
            id: id,
            plugin: "script",
            title: id.rawValue,
            needs: needs
        )
    }

    @Test("steps keep the file's order, and come after what they need")
    func order() {
        let steps = [step("a", needs: "c"), step("b"), step("c", needs: "b"), step("d")]
        #expect(StepSequence.ordered(steps).map(\.id.rawValue) == ["b", "c", "a", "d"])
        #expect(StepSequence.ordered([step("a"), step("b")]).map(\.id.rawValue) == ["a", "b"])
    }

    @Test(
        "the project's own rules leave everything else out; without them plugins say what things are for",
        arguments: [
            ("site/index.html", ArtifactRole?.some(.site), ArtifactRole?.some(.site)),
            ("bin/tool", nil, .binary),
            ("notes.txt", nil, .other),
            ("sitemap.xml", nil, .other),
        ]
    )
    func roles(path: String, asked: ArtifactRole?, free: ArtifactRole?) {
        let site = ArtifactRule(path: "./site/", role: .site)
        let declared = [ArtifactRule(path: "bin", role: .binary), ArtifactRule(path: "site", role: .site)]
        #expect(ArtifactSelection(asked: [site], declared: declared).role(of: path) == asked)
        #expect(ArtifactSelection(asked: [], declared: declared).role(of: path) == free)
    }

    @Test("a promised artifact that is not there is told, with the one whose promise it was")
    func missing() {
        let rule = ArtifactRule(path: "dist", role: .package)
        #expect { try ArtifactSelection(asked: [rule], declared: []).requireAll(in: []) } throws: {
            ($0 as? Failure)?.code == .artifactMissing && ($0 as? Failure)?.fault == .user
        }
        #expect { try ArtifactSelection(asked: [], declared: [rule]).requireAll(in: []) } throws: {
            ($0 as? Failure)?.fault == .plugin
        }
    }

    @Test("the first wish to stop counts, and reaches those who come late")
    func stop() async {
        let stop = StopSignal()
        #expect(stop.failure == nil)
        stop.stop(Failure(.cancelled, .user, "first"))
        stop.stop(Failure(.totalTimeout, .user, "second"))
        #expect(stop.failure?.message == "first")
        await confirmation { told in
            let handler: @Sendable (Failure) -> Void = { failure in
                #expect(failure.message == "first")
                told()
            }
            await stop.whileStoppable(handler, run: {})
        }
    }

    @Test("PATH inside has the standard directories, and of the host's only what is visible there")
    func path() {
        let path = StepEnvironment.path(
            host: "/home/me/bin:/opt/swift/usr/bin:/usr/bin:/usr/lib/ccache:/tools/bin",
            toolchain: ["/tools"]
        )
        let expected =
            "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
            + ":/opt/swift/usr/bin:/usr/lib/ccache:/tools/bin"
        #expect(path == expected)
    }
}
