// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import Foundation
import Testing

@Suite("the proof of the sandbox", .timeLimit(.minutes(2)))
struct ProofTests {
    /// A folder with the jail, and beside it a probe that says what `lines` print.
    private func jail(_ scratch: Scratch, probe lines: String) throws -> [String: String] {
        try scratch.write("#!/bin/sh\n\(lines)\n", to: "jail/drydock-probe")
        let real = Program.root.appending(path: ".build/drydock-jail").path
        let folder = scratch.url("jail").path
        try Program.shell("cp '\(real)' '\(folder)' && chmod 755 '\(folder)' '\(folder)/drydock-probe'")
        return ["DRYDOCK_JAIL": "\(folder)/drydock-jail"]
    }

    /// Many attacks that held.
    private static let held = "for i in 1 2 3 4; do for j in a b c d e f g h; do echo $i$j held; done; done"

    @Test(
        "holds on this machine, and the attacks are real: outside of a sandbox an ordinary user succeeds with many"
    )
    func holds() throws {
        let inside = try Program.run(Program.drydock, ["sandbox", "prove"])
        #expect(inside.status == 0 && inside.out.contains("attacks held\n"), "\(inside)")
        #expect(!inside.out.contains("unsure"), "\(inside)")
        let probe = Program.root.appending(path: ".build/drydock-probe").path
        let user = geteuid() == 0 ? ["--reuid=1000", "--regid=1000", "--clear-groups"] : []
        // As somebody else it may not reach the checkout.
        let outside = try withScratchProbe(probe) { try Program.run("/usr/bin/setpriv", user + [$0]) }
        let succeeded = outside.out.split(separator: "\n").filter { $0.hasSuffix(" breach") }
        #expect(succeeded.count >= 15, "\(outside)")
    }

    private func withScratchProbe<Result>(_ probe: String, _ body: (String) throws -> Result) throws -> Result
    {
        let scratch = try Scratch()
        defer { scratch.remove() }
        try Program.shell("chmod 755 . && cp '\(probe)' probe && chmod 755 probe", in: scratch.folder)
        return try body(scratch.url("probe").path)
    }

    @Test("a breach stops builds before the first, and is told wherever somebody looks")
    func breached() async throws {
        try await withScratch { scratch in
            let environment = try jail(scratch, probe: "\(Self.held); echo mounting breach")
            try scratch.write(
                "version: 1\nsteps:\n  - plugin: script\n    with: { run: 'true' }\n",
                to: "project/drydock.yaml"
            )
            try Program.shell("tar czf project.tar.gz -C project .", in: scratch.folder)
            let id = try withServer(scratch, environment: environment) { server in
                var ready = try server.request("/readyz")
                for _ in 0..<100 where !ready.text.contains("mounting") {
                    usleep(50_000)
                    ready = try server.request("/readyz")
                }
                #expect(ready.status == 503 && ready.text.contains("does not hold"), "\(ready)")
                let metrics = try server.request("/metrics")
                #expect(metrics.text.contains("drydock_sandbox_breaches 1\n"), "\(metrics)")
                let posted = try server.post(scratch.url("project.tar.gz"))
                #expect(posted.status == 202, "\(posted)")
                usleep(1_500_000)
                let id = try #require(posted.json["id"] as? String)
                let build = try server.request("/api/v1/builds/\(id)").json
                #expect(build["state"] as? String == "queued", "\(build)")
                return id
            }
            // Mended, and restarted.
            try withServer(scratch) { server in
                var ready = try server.request("/readyz")
                for _ in 0..<100 where ready.status != 200 {
                    usleep(50_000)
                    ready = try server.request("/readyz")
                }
                #expect(ready.status == 200, "\(ready)")
                let build = try server.ended(id)
                #expect(build["state"] as? String == "succeeded", "\(build)")
            }
        }
    }

    @Test(
        "what could not be tried is no breach, and is told",
        arguments: [
            ("sleep 1; exit 1", "did not come to its end"),
            ("\(held); [ -n \"$1\" ] || echo late unsure; [ -z \"$1\" ] || echo $1 held", "33 attacks held"),
            ("\(held); echo never unsure", "could not be made: never"),
        ]
    )
    func unsure(lines: String, words: String) async throws {
        try await withScratch { scratch in
            let environment = try jail(scratch, probe: lines)
            let proof = try Program.run(Program.drydock, ["sandbox", "prove"], environment: environment)
            #expect(proof.status == 0 && proof.out.contains(words), "\(proof)")
        }
    }
}
