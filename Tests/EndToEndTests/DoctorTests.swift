// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import Testing

/// Machines that lack something, made of namespaces; the real one is left as it is.
@Suite("what drydock doctor finds", .timeLimit(.minutes(2)))
struct DoctorEndToEndTests {
    @Test("it tells how much of inotify is left; what is too little with the remedy")
    func inotify() throws {
        let here = try Program.run(Program.drydock, ["doctor"])
        #expect(here.out.contains("inotify") && here.out.contains("left for this user: "), "\(here)")
        let script = "echo 2 > /proc/sys/user/max_inotify_instances && exec '\(Program.drydock)' doctor"
        let poor = try Program.run("/usr/bin/unshare", ["--user", "--map-root-user", "sh", "-c", script])
        #expect(poor.out.contains("left for this user: 2 of 2 instances"), "\(poor)")
        #expect(poor.out.contains("sysctl -w fs.inotify.max_user_instances="), "\(poor)")
    }

    @Test("it prints the policy that builds get, as the configuration has it")
    func policy() throws {
        let found = try Program.run(
            Program.drydock,
            ["doctor"],
            environment: ["DRYDOCK_LIMITS_MEMORY": "768MiB", "DRYDOCK_LIMITS_STEP": "7m"]
        )
        #expect(found.out.contains("768MiB of memory") && found.out.contains("; 7m a step"), "\(found)")
    }

    @Test("without any inotify, builds can not run, and a command that needs it sends to the doctor")
    func noInotify() async throws {
        try await withScratch { scratch in
            let none = { (command: String) in
                let script =
                    "echo 0 > /proc/sys/user/max_inotify_instances && exec '\(Program.drydock)' \(command)"
                return try Program.run("/usr/bin/unshare", ["--user", "--map-root-user", "sh", "-c", script])
            }
            let build = try none("build --data '\(scratch.url("data").path)' '\(scratch.folder.path)'")
            #expect(build.status == 69 && build.err.contains("`drydock doctor`"), "\(build)")
            let doctor = try none("doctor")
            #expect(doctor.status == 69 && doctor.out.contains("0 of 0 instances"), "\(doctor)")
        }
    }

    @Test("in a chroot it says that no sandbox can start there, and how to enter the tree instead")
    func chroot() async throws {
        try await withScratch { scratch in
            let script = """
                set -e
                mkdir tree; cd tree
                for entry in /*; do
                    if [ -L "$entry" ]; then cp -d "$entry" .; continue; fi
                    [ -d "$entry" ] || continue
                    mkdir ".$entry"; mount --rbind "$entry" ".$entry"
                done
                exec chroot . '\(Program.drydock)' doctor
                """
            let unshare = ["--user", "--map-root-user", "--mount", "sh", "-c", script]
            let found = try Program.run("/usr/bin/unshare", unshare, in: scratch.folder)
            #expect(found.status == 69, "\(found)")
            #expect(found.out.contains("MISSING chroot"), "\(found)")
            #expect(found.out.contains("systemd-nspawn"), "\(found)")
        }
    }
}
