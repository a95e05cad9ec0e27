// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

package import DrydockModel

/// A policy in words: whole for `drydock sandbox explain`, and in a line for `plan` and `doctor`.
package enum PolicyExplanation {
    /// Plain text, a paragraph for each subject, ended by a newline.
    package static func text(of policy: Policy) -> String {
        let limits = policy.limits
        return """
            level      at least \(policy.minimumLevel.rawValue); where the machine can do less, nothing starts
            sees       the toolchain (/usr /bin /sbin /lib* /opt) read-only, a made-up /etc, a small /dev, its own
                       /proc without what tells of or changes the machine; of /sys its own memory group; no home,
                       no other file
            writes     its workspace (/w), /tmp and /dev/shm; nothing it writes is set-uid or a device
            network    \(network(policy))
            is         user and group 1000 in user namespaces of its own, without any capability, and can gain none
            calls      an allow-list; mounting, tracing, namespaces, keys, bpf, perf, io_uring, raw and vsock
                       sockets and other calls into the kernel's depths are refused.
            memory     \(limits.memory), no swap; more ends the step as "out of memory"
            processes  \(limits.processes) at a time, on \(cpus(limits))
            files      \(limits.fileSize) each, \(limits.openFiles) open in a process, \(limits.disk) on disk in all
            time       \(limits.step.setting) a step, \(limits.total.setting) in all, \
            \(limits.silence.setting) without output
            ends       with its main process: nothing it started stays

            """
    }

    /// What differs from one policy to the next, without its hosts.
    package static func line(of policy: Policy) -> String {
        let limits = policy.limits
        let network = policy.network.isNone ? "no network" : "\(limits.network) over the network"
        return
            "at least level \(policy.minimumLevel.rawValue); \(limits.memory) of memory, \(limits.processes) processes, "
            + "\(cpus(limits)), \(limits.disk) of disk, \(network); \(limits.step.setting) a step, "
            + "\(limits.total.setting) in all, \(limits.silence.setting) without output"
    }

    private static func cpus(_ limits: Limits) -> String {
        limits.cpus.map { "\($0) CPUs" } ?? "all CPUs"
    }

    private static func network(_ policy: Policy) -> String {
        if policy.network.isNone {
            return "none but its own loopback; nothing outside can be reached or reaches in"
        }
        let hosts = policy.network.rules.map(\.description).joined(separator: ", ")
        return """
            its own loopback, and by a proxy on it the hosts that a step asks for, of these:
                       \(hosts);
                       \(policy.limits.network) both ways together, then all is cut off
            """
    }
}
