// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import Foundation
import Testing

/// What `drydock run` says when it can not do what it was asked for, and what it does with what it can.
@Suite("answers of drydock run", .serialized, .timeLimit(.minutes(4)))
struct RunAnswerTests {
    @Test(
        "a workspace with links that lead out, sockets and fifos is copied without them, and they are named"
    )
    func leftOut() async throws {
        try await withScratch { scratch in
            try scratch.write("kept\n", to: "project/file")
            try scratch.write("ref: refs/heads/main\n", to: "project/.git/HEAD")
            let make = """
                mkdir bin && ln -s /usr/bin/python3 bin/python3 && ln -s file inside && mkfifo fifo && python3 -c \
                'import socket; socket.socket(socket.AF_UNIX).bind("sock")'
                """
            try Program.shell(make, in: scratch.url("project"))
            let finished = try Program.run(
                Program.drydock,
                [
                    "run", "--workspace", scratch.url("project").path, "--", "sh", "-c",
                    "cat inside && find . | sort | tr '\\n' ' '",
                ]
            )
            #expect(finished.status == 0, "\(finished)")
            #expect(finished.out == "kept\n. ./.git ./.git/HEAD ./bin ./file ./inside ", "\(finished)")
            for name in ["bin/python3", "fifo", "sock"] {
                #expect(finished.err.contains(name), "\(finished)")
            }
        }
    }

    @Test("a workspace that can not be read or does not fit is told for what it is, with status 125")
    func unreadable() async throws {
        try await withScratch { scratch in
            try scratch.write("secret", to: "project/page.html")
            let project = scratch.url("project").path
            let run = "TMPDIR=/tmp '\(Program.drydock)' run --workspace '\(project)' -- true"
            try Program.shell("chmod 755 . project && chmod 0 project/page.html", in: scratch.folder)
            // Root reads everything; another user may not get as far as the program.
            let line = """
                [ $(id -u) != 0 ] || set -- setpriv --reuid 1000 --regid 1000 --clear-groups
                "$@" test -x '\(Program.drydock)' || exit 125
                exec "$@" env \(run)
                """
            let finished = try Program.run("/bin/sh", ["-c", line])
            #expect(finished.status == 125, "\(finished)")
            #expect(
                finished.err.isEmpty || finished.err.contains("'page.html' of the source can not be read"),
                "\(finished)"
            )
            guard try Program.hasDiskImages() else { return }
            try Program.shell("rm page.html && head -c 3000000 /dev/zero > big", in: scratch.url("project"))
            let small = try Program.run(
                Program.drydock,
                ["run", "--limit", "disk=1MiB", "--workspace", project, "--", "true"]
            )
            #expect(small.status == 125 && small.err.contains("--limit disk"), "\(small)")
        }
    }

    @Test("a disk larger than the machine's, and nowhere to make one, are status 125")
    func impossible() throws {
        if try Program.hasDiskImages() {
            let disk = try Program.run(Program.drydock, ["run", "--limit", "disk=1000TiB", "--", "true"])
            #expect(disk.status == 125 && disk.err.contains("1000TiB"), "\(disk)")
        }
        let folder = try Program.run(
            Program.drydock,
            ["run", "--", "true"],
            environment: ["TMPDIR": "/no/such/directory"]
        )
        #expect(folder.status == 125 && folder.err.contains("TMPDIR"), "\(folder)")
    }

    @Test("that the disk below is nearly full is not blamed on the command")
    func nearlyFull() async throws {
        guard try Program.hasDiskImages() else { return }
        try await withScratch { scratch in
            let line = """
                mkdir small && mount -t tmpfs -o size=48m t small && export TMPDIR=$PWD/small && \
                mount --bind /dev/null /dev/loop-control && exec '\(Program.drydock)' run --limit disk=64MiB \
                --limit total=60s -- sh -c 'head -c 60000000 /dev/zero > f; sleep 60'
                """
            let finished = try Program.run(
                "/usr/bin/unshare",
                ["-m", "/bin/sh", "-c", line],
                in: scratch.folder
            )
            #expect(finished.status == 137 && finished.err.contains("nearly full"), "\(finished)")
            #expect(!finished.err.contains("--limit disk"), "\(finished)")
        }
    }

    @Test("that the disk is only watched is said where root could have expected more")
    func watched() throws {
        guard try Program.hasDiskImages() else { return }
        let line = "'\(Program.drydock)' run -- true"
        let finished = try Program.withoutLoopDevices(line)
        #expect(finished.status == 0 && finished.err.contains("only watched"), "\(finished)")
        let kept = try Program.run("/bin/sh", ["-c", line])
        #expect(kept.status == 0 && kept.err.isEmpty, "\(kept)")
        let hidden = "mount --bind /bin/false \"$(realpath /sbin/mke2fs)\" && \(line)"
        let without = try Program.run("/usr/bin/unshare", ["-m", "/bin/sh", "-c", hidden])
        #expect(without.status == 0 && without.err.contains("mke2fs"), "\(without)")
    }

    @Test("runs beside each other are not promised the same room")
    func admission() async throws {
        guard try Program.hasDiskImages() else { return }
        try await withScratch { scratch in
            try scratch.write(
                """
                mkdir small && mount -t tmpfs -o size=128m t small && export TMPDIR=$PWD/small
                mkfifo up go
                "$DRYDOCK" run --limit disk=80MiB -- sh -c 'echo up; read -r line; head -c 75000000 /dev/zero > f' \
                    < go > up & first=$!
                exec 3> go
                read -r line < up
                "$DRYDOCK" run --limit disk=80MiB -- sh -c 'head -c 75000000 /dev/zero > f'
                echo "second $?"
                echo >&3
                wait $first
                echo "first $?"
                ls -A small
                """,
                to: "two"
            )
            let finished = try Program.run(
                "/usr/bin/unshare",
                ["-m", "timeout", "120", "/bin/bash", "two"],
                environment: ["DRYDOCK": Program.drydock],
                in: scratch.folder
            )
            #expect(finished.out == "second 1\nfirst 0\n", "\(finished)")
            #expect(finished.err.contains("the disk had room for"), "\(finished)")
        }
    }
}
