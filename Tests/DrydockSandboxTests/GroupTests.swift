// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import DrydockOS
import DrydockSandbox
import Foundation
import Glibc
import Testing

extension SandboxTests {
    @Suite struct Groups {
        @Test("an empty group stays while the jail it names may live, and goes when that has certainly ended")
        func reaped() throws {
            guard let parent = Self.parent() else { return }  // L3: nobody makes any here
            let me = getpid()
            // Linux gives no process a number this high (man 5 proc, pid_max).
            let names = [
                "\(me)": true, "\(me)-\(try ProcessIdentity.current().started)": true, "\(me)-1": false,
                "4194305": false, "4194305-1": false,
            ]
            defer { for name in names.keys { rmdir("\(parent)/drydock-jail-\(name)") } }
            for name in names.keys {
                try #require(mkdir("\(parent)/drydock-jail-\(name)", 0o755) == 0)
            }
            try JailLauncher().reapLeftovers()
            for (name, stays) in names {
                #expect((access("\(parent)/drydock-jail-\(name)", F_OK) == 0) == stays, "\(name)")
            }
        }

        /// Where jails make their groups for memory; nil where they can not.
        private static func parent() -> String? {
            let lines = (try? String(contentsOfFile: "/proc/self/cgroup", encoding: .utf8)) ?? ""
            for line in lines.split(separator: "\n") {
                let parts = line.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false)
                guard parts.count == 3, parts[1].isEmpty || parts[1] == "memory" else { continue }
                let isUnified = parts[1].isEmpty
                if isUnified, access("/sys/fs/cgroup/cgroup.controllers", F_OK) != 0 { continue }
                let leaf = "/drydock-host"
                let group = parts[2].hasSuffix(leaf) ? parts[2].dropLast(leaf.count) : parts[2]
                let path = "/sys/fs/cgroup\(isUnified ? "" : "/")\(parts[1])\(group)"
                if access(path, W_OK) == 0 { return path }
            }
            return nil
        }
    }
}
