// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

/// What may be done in a sandbox: made once from the operator's configuration, narrowed to what a project asks for, carried
/// in its plan and from there in the spec of every sandbox.
package struct Policy: Codable, Hashable, Sendable {
    /// What a build gets that asks for nothing, and the most it gets.
    package var limits: Limits
    /// The least protection that anything runs with.
    package var minimumLevel: SandboxLevel
    /// The hosts that may be reached; what a step does not ask for it can not reach either.
    package var network: NetworkPolicy
    /// The profiles that a step may ask for beside `strict`.
    package var profiles: [SandboxProfile]

    package init(
        limits: Limits = Limits(),
        minimumLevel: SandboxLevel = .reduced,
        network: NetworkPolicy = .none,
        profiles: [SandboxProfile] = []
    ) {
        self.limits = limits
        self.minimumLevel = minimumLevel
        self.network = network
        self.profiles = profiles
    }
}

extension Policy {
    /// The same without any network: for what is not the project's own step.
    package var withoutNetwork: Policy {
        var policy = self
        policy.network = .none
        return policy
    }
}

/// The numbers inside a policy.
///
/// A project asks, the operator's own `Limits` clip.
package struct Limits: Codable, Hashable, Sendable {
    /// Memory of a sandbox, page cache and tmpfs pages included; no swap comes on top.
    package var memory: ByteCount
    /// Processes and threads of a sandbox at one time.
    package var processes: Int
    /// Bytes on disk a build's workspace may grow to.
    package var disk: ByteCount
    /// Largest single file.
    package var fileSize: ByteCount
    /// Open descriptors of one process.
    package var openFiles: Int
    /// CPU cores, as a quota; nil = all there are.
    package var cpus: Double?
    /// From the first step's start to the last one's end.
    package var total: Duration
    /// One step, where it names none of its own.
    package var step: Duration
    /// Longest time without a byte of output.
    package var silence: Duration
    /// Journalled log of one attempt; more is clipped, visibly.
    package var log: ByteCount
    /// Bytes that one sandbox may move over the network, both ways together.
    package var network: ByteCount

    package init(
        memory: ByteCount = .gibibytes(2),
        processes: Int = 512,
        disk: ByteCount = .gibibytes(2),
        fileSize: ByteCount = .gibibytes(2),
        openFiles: Int = 4_096,
        cpus: Double? = nil,
        total: Duration = .seconds(20 * 60),
        step: Duration = .seconds(15 * 60),
        silence: Duration = .seconds(5 * 60),
        log: ByteCount = .mebibytes(64),
        network: ByteCount = .gibibytes(10)
    ) {
        self.memory = memory
        self.processes = processes
        self.disk = disk
        self.fileSize = fileSize
        self.openFiles = openFiles
        self.cpus = cpus
        self.total = total
        self.step = step
        self.silence = silence
        self.log = log
        self.network = network
    }
}
