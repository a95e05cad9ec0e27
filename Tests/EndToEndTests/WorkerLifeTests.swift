// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import Foundation
import Glibc
import Testing

/// Server and worker as an operator's accidents leave them: killed, stopped, started twice.
@Suite("the worker beside the server", .serialized, .timeLimit(.minutes(5)))
struct WorkerLifeTests {
    /// A project whose step says `begun`, and takes `seconds` from there.
    private func archive(_ scratch: Scratch, seconds: Int) throws -> URL {
        try scratch.write(
            """
            version: 1
            steps:
              - id: main
                plugin: script
                with: { run: "echo begun; for i in $(seq \(seconds * 10)); do sleep 0.1; done; echo done" }
            """,
            to: "project/drydock.yaml"
        )
        try Program.shell("tar -C project -czf project.tar.gz drydock.yaml", in: scratch.folder)
        return scratch.url("project.tar.gz")
    }

    /// Returns once the step of that attempt has begun; a build that ended before has none.
    private func begun(_ server: RunningServer, _ id: String, attempts: Int = 1) throws {
        try wait {
            let build = try server.request("/api/v1/builds/\(id)").json
            guard build["attempts"] as? Int == attempts else {
                let state = build["state"] as? String ?? ""
                try #require(["queued", "preparing", "running"].contains(state), "\(build)")
                return false
            }
            let log = try server.request("/api/v1/builds/\(id)/logs").text
            return log.split(separator: "\n").contains("begun")
        }
    }

    /// The workers that serve `data`: their process ids.
    private func workers(_ scratch: Scratch) throws -> [Int32] {
        let path = scratch.url("data").path
        return try Program.shell("pgrep -f '[d]rydock worker --data \(path)' || true")
            .split(separator: "\n").compactMap { Int32($0) }
    }

    /// Returns once `condition` holds; what does not within a minute is a failure.
    private func wait(_ condition: () throws -> Bool) throws {
        let deadline = ContinuousClock.now + .seconds(60)
        while try !condition() {
            try #require(ContinuousClock.now < deadline, "it did not come")
            usleep(20_000)
        }
    }

    @Test("a worker without builds ends with its server, however that ended")
    func endsWithItsServer() async throws {
        try await withScratch { scratch in
            for _ in 1...3 {
                let server = try RunningServer(scratch)
                try wait { try workers(scratch).count == 1 && server.request("/readyz").status == 200 }
                server.kill()
            }
            try wait { try workers(scratch).isEmpty }
            let server = try RunningServer(scratch)
            try wait { try server.request("/readyz").status == 200 }
            server.stop()
            #expect(try workers(scratch).isEmpty)
        }
    }

    @Test("a worker with a build goes on with the next server, alone")
    func adopted() async throws {
        try await withScratch { scratch in
            let archive = try archive(scratch, seconds: 4)
            let first = try RunningServer(scratch)
            let id = try #require(try first.post(archive).json["id"] as? String)
            try begun(first, id)
            let before = try workers(scratch)
            first.kill()
            try withServer(scratch) { second in
                #expect(try workers(scratch) == before)
                let build = try second.ended(id)
                #expect(build["state"] as? String == "succeeded" && build["attempts"] as? Int == 1)
                // It is the second server's own now: it takes new builds too.
                let short = try self.archive(scratch, seconds: 0)
                #expect(try second.build(short)["state"] as? String == "succeeded")
                #expect(try workers(scratch) == before)
            }
            #expect(try workers(scratch).isEmpty)
        }
    }

    @Test("the builds of a killed worker start again at once, not after their lease")
    func workerKilled() async throws {
        try await withScratch { scratch in
            let archive = try archive(scratch, seconds: 3)
            try withServer(scratch) { server in
                let id = try #require(try server.post(archive).json["id"] as? String)
                try begun(server, id)
                let killed = ContinuousClock.now
                for worker in try workers(scratch) { kill(worker, SIGKILL) }
                try begun(server, id, attempts: 2)
                // A lease lasts 30 s.
                #expect(ContinuousClock.now - killed < .seconds(15))
                let build = try server.ended(id)
                #expect(build["state"] as? String == "succeeded" && build["attempts"] as? Int == 2)
            }
        }
    }

    @Test("a build on the command line that is killed is taken back by the worker at once")
    func commandKilled() async throws {
        try await withScratch { scratch in
            _ = try archive(scratch, seconds: 3)
            try withServer(scratch) { server in
                let process = Process()
                process.executableURL = URL(fileURLWithPath: Program.drydock)
                process.arguments = [
                    "build", "--data", scratch.url("data").path, scratch.url("project").path,
                ]
                process.standardOutput = FileHandle.nullDevice
                process.standardError = FileHandle.nullDevice
                try process.run()
                var id: String?
                try wait {
                    let list = try server.request("/api/v1/builds?state=running").json["builds"]
                    id = ((list as? [[String: Any]])?.first)?["id"] as? String
                    return id != nil
                }
                let build = try #require(id)
                try begun(server, build)
                let killed = ContinuousClock.now
                kill(process.processIdentifier, SIGKILL)
                process.waitUntilExit()
                try begun(server, build, attempts: 2)
                #expect(ContinuousClock.now - killed < .seconds(15))
                #expect(try server.ended(build)["state"] as? String == "succeeded")
            }
        }
    }

    @Test("a worker that hangs is told by /readyz, ended, and its builds start again")
    func workerHangs() async throws {
        try await withScratch { scratch in
            let archive = try archive(scratch, seconds: 2)
            try withServer(scratch) { server in
                let id = try #require(try server.post(archive).json["id"] as? String)
                try begun(server, id)
                let hanging = try #require(try workers(scratch).first)
                kill(hanging, SIGSTOP)
                try wait { try server.request("/readyz").status == 503 }
                let build = try server.ended(id)
                #expect(build["state"] as? String == "succeeded" && build["attempts"] as? Int == 2)
                #expect(try !workers(scratch).contains(hanging))
                #expect(try server.request("/readyz").status == 200)
            }
        }
    }

    @Test("SIGTERM gives builds back, and that is no lost attempt")
    func handedBack() async throws {
        try await withScratch { scratch in
            let archive = try archive(scratch, seconds: 2)
            var id = ""
            for round in 1...3 {
                try withServer(scratch) { server in
                    if round == 1 { id = try #require(try server.post(archive).json["id"] as? String) }
                    try begun(server, id, attempts: round)
                    if round == 3 {
                        // A real loss: the first one, however often the build was given back before.
                        for worker in try workers(scratch) { kill(worker, SIGKILL) }
                        let build = try server.ended(id)
                        #expect(build["state"] as? String == "succeeded" && build["attempts"] as? Int == 4)
                    }
                }
            }
        }
    }

    @Test("a second server on one data directory says so and ends")
    func secondServer() async throws {
        try await withScratch { scratch in
            try withServer(scratch) { server in
                let data = scratch.url("data").path
                let second = try Program.run(
                    "/usr/bin/timeout",
                    ["60", Program.drydock, "serve", "--listen", "127.0.0.1:0", "--data", data]
                )
                #expect(second.status == 69)
                #expect(second.err.contains("another server (process \(server.pid))"), "\(second.err)")
            }
        }
    }

    @Test("a disk that takes no more is told by /readyz, as long as it does not")
    func diskFull() async throws {
        try await withScratch { scratch in
            let archive = try archive(scratch, seconds: 0)
            try Program.shell("mkdir data", in: scratch.folder)
            let mounted = try Program.run(
                "/usr/bin/mount",
                ["-t", "tmpfs", "-o", "size=256m,mode=0700", "tmpfs", scratch.url("data").path]
            )
            guard mounted.status == 0 else {
                let mustWork = ProcessInfo.processInfo.environment["DRYDOCK_SANDBOX_MUST_WORK"] == "1"
                if mustWork { Issue.record("mounting a small tmpfs failed: \(mounted.err)") }
                return
            }
            defer { umount2(scratch.url("data").path, Int32(MNT_DETACH)) }
            try withServer(scratch) { server in
                // A worker that has come up: on a full disk it might not, which is told too, and is not meant here.
                #expect(try server.build(archive)["state"] as? String == "succeeded")
                try wait { try server.request("/readyz").status == 200 }
                try Program.shell("head -c 300000000 /dev/zero > data/filler || true", in: scratch.folder)
                try wait {
                    let reply = try server.request("/readyz")
                    return reply.status == 503 && reply.text.contains("is full")
                }
                try Program.shell("rm data/filler", in: scratch.folder)
                try wait { try server.request("/readyz").status == 200 }
            }
        }
    }

    @Test("a server with a viewer that follows ends within its patience, with the stream's own end")
    func followerEnds() async throws {
        try await withScratch { scratch in
            let archive = try archive(scratch, seconds: 30)
            let server = try RunningServer(scratch)
            let id = try #require(try server.post(archive).json["id"] as? String)
            try begun(server, id)
            let follower = Process()
            follower.executableURL = URL(fileURLWithPath: "/usr/bin/curl")
            follower.arguments = ["--silent", "--no-buffer", "\(server.address)/api/v1/builds/\(id)/events"]
            follower.standardOutput = try scratch.newFile("followed")
            try follower.run()
            try wait { try !scratch.read("followed").isEmpty }
            server.stop()
            follower.waitUntilExit()
            // 0: the chunked body ended as it should; 18 would be a transfer that was cut.
            #expect(follower.terminationStatus == 0)
        }
    }
}
