// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

package import DrydockModel

/// Everything about one sandbox as a value: made from a policy without touching the system, then launched as it is.
package struct SandboxSpec: Codable, Hashable, Sendable {
    /// The command; `argv[0]` is looked up in the environment's `PATH` inside the sandbox unless it has a slash.
    package var argv: [String]
    /// The whole environment; nothing is inherited.
    package var environment: [String: String]
    /// Absolute, inside the sandbox.
    package var workingDirectory: String
    /// What is there beside the toolchain, in mounting order.
    package var mounts: [SandboxMount]
    package var root: RootFileSystem
    package var hostName: String
    package var profile: SandboxProfile
    /// Whose program it is; of a spec that is made by itself, a build's.
    package var tenant = Tenant.build
    /// Whose build and step it is of; nil where it is none of a build's.
    ///
    /// The jail is not told.
    package var purpose: SandboxPurpose?
    /// What may be done inside; the jail enforces it, or starts nothing.
    package var policy: Policy
    /// Sockets of the sandbox's own network that are made inside for the host, which lets it out by them.
    package var listeners: [SandboxListener] = []

    /// The policy's numbers.
    package var limits: Limits { policy.limits }

    /// Whose program runs in a sandbox.
    package enum Tenant: String, Codable, Sendable {
        /// Anybody's.
        case build
        /// Drydock's own, confined because of what it reads: it may open files with `openat2`.
        case tool
    }

    package init(
        argv: [String],
        environment: [String: String],
        workingDirectory: String = InsidePath.source,
        mounts: [SandboxMount] = [],
        root: RootFileSystem = .hostToolchain(additional: []),
        hostName: String = "drydock",
        profile: SandboxProfile = .strict,
        policy: Policy = Policy()
    ) {
        self.argv = argv
        self.environment = environment
        self.workingDirectory = workingDirectory
        self.mounts = mounts
        self.root = root
        self.hostName = hostName
        self.profile = profile
        self.policy = policy
    }
}

/// A socket inside a sandbox that the host serves: what connects to it comes from that sandbox and no other.
package struct SandboxListener: Codable, Hashable, Sendable {
    package enum Transport: String, Codable, Sendable {
        case tcp
        case udp
    }

    package var transport: Transport
    /// Of 127.0.0.0/8, or 0 for all that the sandbox has.
    package var address: UInt32
    package var port: UInt16

    package init(_ transport: Transport, address: UInt32, port: UInt16) {
        self.transport = transport
        self.address = address
        self.port = port
    }
}

/// A directory or file of the host that is seen inside.
///
/// Always nosuid and nodev.
package struct SandboxMount: Codable, Hashable, Sendable {
    package enum Access: String, Codable, Sendable {
        case readOnly
        case readWrite
    }

    package enum Execution: String, Codable, Sendable {
        case allowed
        case denied
    }

    /// Absolute path on the host, opened without following a final symbolic link.
    package var source: String
    /// Absolute path inside; missing parents are made.
    package var target: String
    package var access: Access
    package var execution: Execution

    package init(source: String, target: String, access: Access, execution: Execution = .allowed) {
        self.source = source
        self.target = target
        self.access = access
        self.execution = execution
    }
}

/// What `/` is made of.
package enum RootFileSystem: Codable, Hashable, Sendable {
    /// The host's `/usr /bin /sbin /lib* /opt` and the additional directories, read-only, with a synthetic `/etc`.
    case hostToolchain(additional: [String])
    /// A directory of the operator's choice, read-only.
    case directory(String)
}

/// Where things are inside a sandbox.
package enum InsidePath {
    /// The build's own tree: everything of the workspace lies below it, on one mount, so that renames work.
    package static let workspace = "/w"
    /// The whole source.
    package static let source = "/w/s"
    /// `$DRYDOCK_SOURCE`, the working directory: where in the source the project is.
    package static func project(_ directory: RelativePath) -> String {
        directory == .top ? source : "\(source)/\(directory)"
    }
    /// `$DRYDOCK_OUT`.
    package static let out = "/w/out"
    /// `$HOME`.
    package static let home = "/w/home"
    /// `$DRYDOCK_CACHE`.
    package static let cache = "/w/cache"
    /// `/tmp`, which lasts as long as the workspace.
    package static let temporary = "/tmp"
    /// The operator's certificates, for steps with a network; a file.
    package static let roots = "/run/drydock/roots.pem"
    /// The same as Java's store; a file.
    package static let javaStore = "/run/drydock/roots.jks"
    /// The plugin's own folder, read-only.
    package static let plugin = "/plugin"
}
