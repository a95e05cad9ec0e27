// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

package import DrydockModel

/// A policy in words, for `drydock sandbox explain`.
package enum PolicyExplanation {
    /// Plain text, a paragraph for each subject, ended by a newline.
    package static func text(of policy: Policy) -> String {
        let limits = policy.limits
        let cpus = limits.cpus.map { "\($0) CPUs" } ?? "all CPUs"
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
            processes  \(limits.processes) at a time, on \(cpus)
            files      \(limits.fileSize) each, \(limits.openFiles) open in a process, \(limits.disk) on disk in all
            time       \(limits.step.inSeconds) s a step, \(limits.total.inSeconds) s in all, \
            \(limits.silence.inSeconds) s without output
            ends       with its main process: nothing it started stays

            """
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
