// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import Testing

@Suite("what honest builds do", .timeLimit(.minutes(2)))
struct OrdinaryBuildTests {
    private func build(_ scratch: Scratch, _ run: String) throws -> Finished {
        try scratch.write(
            "version: 1\nsteps:\n  - id: main\n    plugin: script\n    with:\n      run: |\n        \(run)\n",
            to: "project/drydock.yaml"
        )
        let (project, dist) = (scratch.url("project").path, scratch.url("dist").path)
        return try Program.drydock(scratch, "build", project, "--output", "plain", "--out", dist)
    }

    @Test("a build may remove $DRYDOCK_OUT and make it anew")
    func outAnew() async throws {
        try await withScratch { scratch in
            let finished = try build(
                scratch,
                #"rm -rf "$DRYDOCK_OUT"; mkdir "$DRYDOCK_OUT"; echo new > "$DRYDOCK_OUT/page.txt""#
            )
            #expect(finished.status == 0, "\(finished)")
            #expect(try scratch.read("dist/page.txt") == "new\n")
        }
    }

    @Test(
        "what it puts in the place of $DRYDOCK_OUT leads nowhere",
        arguments: [#"ln -s /etc "$DRYDOCK_OUT""#, #"ln -s "$PWD" "$DRYDOCK_OUT""#, "true"]
    )
    func outElsewhere(replacement: String) async throws {
        try await withScratch { scratch in
            let finished = try build(scratch, "rm -rf \"$DRYDOCK_OUT\"; echo x > x; \(replacement)")
            #expect(!finished.out.contains("passwd"), "\(finished)")
            let kept = try Program.run("/usr/bin/find", [scratch.url("dist").path, "-type", "f"])
            #expect(kept.out == "", "\(kept) \(finished)")
        }
    }
}
