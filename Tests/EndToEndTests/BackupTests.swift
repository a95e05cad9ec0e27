// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import Foundation
import Testing

@Suite("backup, and data of a newer version", .timeLimit(.minutes(3)))
struct BackupTests {
    private func source(_ scratch: Scratch, _ name: String, _ run: String) throws -> URL {
        let yaml = "version: 1\nsteps: [{ plugin: script, with: { run: '\(run)' } }]\n"
        try scratch.write(yaml, to: "\(name)/drydock.yaml")
        try Program.shell("tar czf \(name).tgz -C \(name) .", in: scratch.folder)
        return scratch.url("\(name).tgz")
    }

    @Test("a backup of a running system is served, and what ran then runs there anew")
    func served() async throws {
        try await withScratch { scratch in
            let quick = try source(scratch, "quick", #"echo made > "$DRYDOCK_OUT/page.txt""#)
            let slow = try source(scratch, "slow", #"sleep 3; echo late > "$DRYDOCK_OUT/late.txt""#)
            let backup = scratch.url("backup").path
            let (made, running) = try withServer(scratch) { server in
                let made = try #require(try server.build(quick)["id"] as? String)
                let running = try #require(try server.post(slow, session: "slow").json["id"] as? String)
                while try server.request("/api/v1/builds/\(running)").json["state"] as? String != "running" {
                    usleep(10_000)
                }
                let copied = try Program.drydock(scratch, "backup", "--to", backup)
                #expect(copied.status == 0 && copied.out.contains("2 journals"), "\(copied)")
                let again = try Program.drydock(scratch, "backup", "--to", backup)
                #expect(again.status == 64 && again.err.contains("not empty"), "\(again)")
                return (made, running)
            }
            let restored = try RunningServer(scratch, data: "backup")
            defer { restored.stop() }
            #expect(try restored.request("/api/v1/builds/\(made)/artifacts/page.txt").text == "made\n")
            #expect(try restored.request("/api/v1/builds/\(made)/logs").status == 200)
            while try restored.request("/api/v1/builds/\(running)").json["finished_at"] == nil {
                usleep(50_000)
            }
            let end = try restored.request("/api/v1/builds/\(running)").json
            #expect(end["state"] as? String == "succeeded" && end["attempts"] as? Int == 2, "\(end)")
            #expect(try restored.request("/api/v1/builds/\(running)/artifacts/late.txt").text == "late\n")
        }
    }

    @Test(
        "a data directory of a newer version is refused by every command, in clear words, and nothing in it changes"
    )
    func newer() async throws {
        try await withScratch { scratch in
            let project = try source(scratch, "project", "true").deletingPathExtension().path
            #expect(try Program.drydock(scratch, "build", "--output", "plain", project).status == 0)
            let data = scratch.url("data").path
            let future = "INSERT INTO grdb_migrations VALUES ('99-of-tomorrow')"
            let python = """
                import sqlite3
                db = sqlite3.connect('\(data)/db.sqlite')
                db.execute("\(future)")
                db.commit()
                db.execute('PRAGMA wal_checkpoint(TRUNCATE)')
                db.close()
                """
            try scratch.write(python, to: "future.py")
            try Program.shell("python3 '\(scratch.url("future.py").path)'")
            let look =
                "cd '\(data)' && find . -printf '%p %m %s %y\\n' | sort && find . -type f -exec sha256sum {} + | sort"
            let before = try Program.shell(look)
            for command in [
                ["serve", "--listen", "127.0.0.1:0"], ["worker"], ["build", project], ["list"],
                ["show", "b_1"],
                ["gc"], ["backup", "--to", scratch.url("backup").path], ["token", "create", "x"], ["audit"],
            ] {
                let refused = try Program.run(Program.drydock, command, environment: ["DRYDOCK_DATA": data])
                #expect(refused.status == 69, "\(command) \(refused)")
                #expect(
                    refused.err.contains("was written by a newer version of Drydock"),
                    "\(command) \(refused)"
                )
                #expect(refused.err.contains("use that version"), "\(command) \(refused)")
            }
            #expect(try Program.shell(look) == before)
            #expect(!FileManager.default.fileExists(atPath: scratch.url("backup").path))
        }
    }
}
