// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import Foundation
import Glibc
import Testing

extension Program {
    /// Whether this machine can do disk images, found out without Drydock.
    static func hasDiskImages() throws -> Bool {
        let line =
            "[ $(id -u) = 0 ] && losetup -f && unshare -m mount -t tmpfs t /mnt && ls /usr/sbin/mke2fs /sbin/mke2fs"
        return try run("/bin/sh", ["-c", line]).out.contains("mke2fs")
    }

    /// Runs a line of shell where there are no loop devices: for an ordinary user there are none anyway.
    static func withoutLoopDevices(_ line: String, environment: [String: String] = [:]) throws -> Finished {
        let hidden = "mount --bind /dev/null /dev/loop-control && \(line)"
        guard try hasDiskImages() else { return try run("/bin/sh", ["-c", line], environment: environment) }
        return try run("/usr/bin/unshare", ["-m", "/bin/sh", "-c", hidden], environment: environment)
    }
}

@Suite("the disk of a build", .serialized, .timeLimit(.minutes(4)))
struct DiskImageTests {
    private func project(_ scratch: Scratch, disk: String, run: String) throws {
        try scratch.write(
            """
            version: 1
            limits: { disk: \(disk) }
            steps:
              - id: main
                plugin: script
                with:
                  run: |
                    \(run)
            """,
            to: "project/drydock.yaml"
        )
    }

    private func build(_ scratch: Scratch) throws -> Finished {
        try Program.drydock(scratch, "build", "--output", "plain", scratch.url("project").path)
    }

    /// Loop devices whose image lies below `scratch`.
    private func devices(_ scratch: Scratch) throws -> String {
        try Program.shell("losetup -a | grep '\(scratch.folder.path)' || true")
    }

    @Test("the doctor says whether disks are kept or watched, and builds that are watched record it")
    func doctor() async throws {
        let doctor = try Program.run(Program.drydock, ["doctor"])
        let line = try #require(doctor.out.split(separator: "\n").first { $0.contains("disk-limit") })
        #expect(line.contains(try Program.hasDiskImages() ? "kept by a file system" : "watched"), "\(line)")
        let hidden = try Program.withoutLoopDevices("'\(Program.drydock)' doctor")
        #expect(hidden.out.contains("MISSING disk-limit") && hidden.out.contains("do: "), "\(hidden)")
        try await withScratch { scratch in
            try project(scratch, disk: "64MiB", run: "echo fine > $DRYDOCK_OUT/it")
            let line =
                "'\(Program.drydock)' build --output plain --data '\(scratch.url("data").path)' '\(scratch.url("project").path)'"
            let built = try Program.withoutLoopDevices(line)
            #expect(built.status == 0 && (built.out + built.err).contains("disk-limit: watched"), "\(built)")
        }
    }

    @Test(
        "what hides from a watch ends at the limit, told as what it is, and leaves nothing",
        arguments: [
            // Held open for a moment after the end was met: the gauge looks twenty times a second.
            "exec 3> f 4> g; rm f g; head -c 25000000 /dev/zero >&3; head -c 25000000 /dev/zero >&4 || { sleep 0.3; false; }",
            "seq 300000 | xargs -n 4000 sh -c 'mkdir \"$@\" || exit 255' mkdirs 2>&1 | tail -n 1; exit 1",
            "i=0; while [ $i -lt 1000 ]; do mkdir d && cd d && head -c 60000 /dev/zero > f || exit 1; i=$((i + 1)); done",
            "fallocate -l 25M f && fallocate -l 25M g",
            "truncate -s 30M a b c && head -c 20000000 /dev/zero > g && head -c 20000000 /dev/zero > h",
        ]
    )
    func attacks(attack: String) async throws {
        guard try Program.hasDiskImages() else { return }  // `doctor` above says that it is watched
        try await withScratch { scratch in
            try project(scratch, disk: "32MiB", run: attack)
            let built = try build(scratch)
            let said = built.out + built.err
            #expect(built.status == 1 && said.contains("the workspace is full"), "\(built)")
            #expect(said.contains("32MiB") && said.contains("limits.disk"), "\(built)")
            #expect(try devices(scratch).isEmpty)
            let left = try FileManager.default.contentsOfDirectory(atPath: scratch.url("data/work").path)
            #expect(left.isEmpty)
        }
    }

    @Test("a build that uses nearly all of its disk succeeds, and its artifacts are collected")
    func nearly() async throws {
        try await withScratch { scratch in
            try project(
                scratch,
                disk: "32MiB",
                run: "head -c 31000000 /dev/zero > f && rm f && head -c 30000000 /dev/zero > $DRYDOCK_OUT/big"
            )
            let built = try build(scratch)
            #expect(built.status == 0 && (built.out + built.err).contains("big"), "\(built)")
        }
    }

    @Test("a killed build leaves no mount and no device, and the next start removes its image")
    func killed() async throws {
        guard try Program.hasDiskImages() else { return }
        try await withScratch { scratch in
            try project(scratch, disk: "32MiB", run: "echo begun; sleep 1000")
            let process = Process()
            process.executableURL = URL(fileURLWithPath: Program.drydock)
            process.arguments = [
                "build", "--output", "plain", "--data", scratch.url("data").path, scratch.url("project").path,
            ]
            let out = Pipe()
            process.standardOutput = out
            process.standardError = FileHandle.nullDevice
            try process.run()
            var text = ""
            while !text.contains("begun\n") {
                let chunk = out.fileHandleForReading.availableData
                try #require(!chunk.isEmpty, "\(text)")
                text += String(decoding: chunk, as: UTF8.self)
            }
            #expect(try !devices(scratch).isEmpty)
            let mounts = try String(contentsOfFile: "/proc/self/mounts", encoding: .utf8)
            #expect(!mounts.contains(scratch.folder.path), "it shows outside")
            kill(process.processIdentifier, SIGKILL)
            process.waitUntilExit()
            while try !devices(scratch).isEmpty { usleep(20_000) }
            let work = scratch.url("data/work").path
            #expect(try FileManager.default.contentsOfDirectory(atPath: work).count == 2)
            try project(scratch, disk: "32MiB", run: "echo fine > $DRYDOCK_OUT/it")
            try withServer(scratch) { server in
                while try !FileManager.default.contentsOfDirectory(atPath: work)
                    .filter({ !$0.hasPrefix("try-") }).isEmpty
                {
                    // The build starts again with the worker: its end comes with a cancel.
                    let list = try server.request("/api/v1/builds?state=running").json["builds"]
                    let id = ((list as? [[String: Any]])?.first)?["id"] as? String
                    if let id { _ = try server.request("/api/v1/builds/\(id)/cancel", "--request", "POST") }
                    usleep(50_000)
                }
            }
        }
    }
}
