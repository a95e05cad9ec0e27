// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import Testing

@Suite("the sandbox level of a build", .timeLimit(.minutes(2)))
struct SandboxLevelTests {
    /// A jail that does everything once, and for the second sandbox and all later ones finds no Landlock.
    private func weakening(_ scratch: Scratch) throws -> String {
        let jail = Program.root.appending(path: ".build/drydock-jail").path
        let source = Program.root.appending(path: "Tests/Fixtures/sandbox/without-landlock.c").path
        let weak = scratch.url("weak").path
        try Program.shell("cc -o '\(weak)' '-DJAIL=\"\(jail)\"' '\(source)'")
        let script = """
            #!/bin/sh
            [ "$1" = --reap ] && exec '\(jail)' "$@"
            mkdir '\(scratch.url("seen").path)' 2>/dev/null && exec '\(jail)' "$@"
            exec '\(weak)' "$@"

            """
        let path = try scratch.write(script, to: "jail").path
        try Program.shell("chmod 755 '\(path)'")
        return path
    }

    @Test("a build whose sandboxes get less than the level it records does not run")
    func weaker() async throws {
        try await withScratch { scratch in
            try scratch.write("all:\n\t@echo it ran | tee it\n", to: "project/Makefile")
            let doctor = try Program.run(Program.drydock, ["doctor"])
            // Without cgroups Landlock makes no difference to the level.
            guard doctor.out.contains("L4") else { return }
            let arguments = ["build", scratch.url("project").path]
            var environment = ["DRYDOCK_DATA": scratch.url("data").path]
            environment["DRYDOCK_JAIL"] = try weakening(scratch)
            let finished = try Program.run(Program.drydock, arguments, environment: environment)
            #expect(finished.status != 0)
            #expect(!finished.out.contains("it ran"))
            #expect((finished.out + finished.err).contains("Landlock"), "\(finished.out) \(finished.err)")
            environment["DRYDOCK_JAIL"] = nil
            let usual = try Program.run(Program.drydock, arguments, environment: environment)
            #expect(usual.status == 0 && usual.out.contains("it ran"), "\(usual.out) \(usual.err)")
        }
    }
}
