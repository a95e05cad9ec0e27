// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import DrydockModel
import DrydockOS
import DrydockSandbox
import FoundationEssentials
import SystemPackage
import Testing

extension SandboxTests {
    /// As root the same is tried as an ordinary user, by the jail alone; otherwise all other tests were that already.
    @Suite(.enabled(if: Machine.isRoot)) struct AsOrdinaryUser {
        @Test(
            "the sandbox holds without root too",
            arguments: [
                ("true", 0), ("exit 7", 7), ("id -u | grep -qx 1000", 0), ("touch /w/x", 0),
                ("touch /usr/x", 1),
                ("/w/probe mount", 1), ("/w/probe unshare_user", 1), ("/w/probe int80", 159),
                ("/w/probe loopback", 0),
                ("/w/probe rename_across", 0), ("/w/probe outside", 1), ("/w/probe forkbomb", 1),
            ]
        )
        func holds(script: String, status: Int) throws {
            let bench = try Bench()
            #expect(try ordinary(bench, script) == .exited(status))
        }

        @Test(
            "a service that is spared when memory is short spares no build",
            arguments: [("-500", "echo -400", 2), ("0", "echo 600", 0)]
        )
        func expendable(service: String, script: String, status: Int) throws {
            let bench = try Bench()
            let script = "\(script) > /proc/self/oom_score_adj"
            let ending = try ordinary(bench, script, score: service)
            // 77: this machine's root may not spare anybody, as in some containers. 2: dash could not open the file.
            #expect(ending == .exited(status) || ending == .exited(77))
        }

        private func ordinary(
            _ bench: Bench,
            _ script: String,
            score: String = "0"
        ) throws -> ChildProcess.Ending.Status {
            let identity = SandboxIdentity(hostUser: 1_000, hostGroup: 1_000)
            let spec = bench.spec(["true"], limits: Limits(processes: 40))
            let file = bench.directory.appending("spec")
            try Data(try spec.encoded(SpecOptions(identity: identity))).write(to: URL(filePath: file.string))
            let setUp = """
                cp "$2" "$1/jail" && chmod -R a+rX "$1" && chown -R 1000:1000 "$1/w" && cd / &&
                { echo "$4" > /proc/self/oom_score_adj || exit 77; } &&
                exec setpriv --reuid 1000 --regid 1000 --clear-groups "$1/jail" --spec "$1/spec" -- sh -c "$3"
                """
            let jail = try JailLocation.find()
            let child = try ChildProcess.spawn(
                "/bin/sh",
                arguments: ["sh", "-c", setUp, "sh", bench.directory.string, jail.string, script, score],
                environment: ["PATH=/usr/bin:/bin"],
                inherited: []
            )
            return try child.waitBlocking().status
        }
    }
}
