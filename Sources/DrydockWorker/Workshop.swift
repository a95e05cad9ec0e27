// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

package import DrydockArchive
package import DrydockModel
package import DrydockOS
package import DrydockPlugins
package import DrydockSandbox
package import DrydockStore
package import Logging
package import SystemPackage

/// What all builds of one worker share.
package struct Workshop: Sendable {
    package var store: any Store
    package var launcher: any SandboxLauncher
    package var catalog: PluginCatalog
    /// What deadlines and pauses are counted in.
    package var clock: any MonotonicClock
    package var options: WorkerOptions
    package var logger: Logger
    /// What proves the sandbox; nil where builds are somebody's own, who can look for themselves.
    package var proof: ProofKeeper?
    /// Who reads a step along; nobody, but in a check of a plugin.
    package var inspection: (@Sendable (PlannedStep) -> StepInspection?)?

    package init(
        store: any Store,
        launcher: any SandboxLauncher,
        catalog: PluginCatalog,
        clock: any MonotonicClock = ContinuousClock(),
        options: WorkerOptions,
        logger: Logger
    ) {
        self.store = store
        self.launcher = launcher
        self.catalog = catalog
        self.clock = clock
        self.options = options
        self.logger = logger
    }
}

/// The operator's side of every build.
package struct WorkerOptions: Sendable {
    /// Where snapshots and workspaces are made; on one file system.
    package var snapshots: FilePath
    package var work: FilePath
    /// What builds may do; its level is the one that every sandbox has here.
    package var policy: Policy
    /// Hosts that every step may reach, asked for or not.
    package var network: [NetworkRule] = []
    /// Directories seen inside beside the system's own.
    package var toolchain: [String]
    /// `PATH` inside.
    package var path: String
    /// The `drydock` program, which unpacks archives inside a sandbox.
    package var program: FilePath
    /// Directories with libraries that the program needs inside, beside the system's own.
    package var programLibraries: [String]
    /// What an uploaded archive may unpack to.
    package var sourceCaps: ArchiveCaps
    /// Where the sources of clients may come from; what is asked for on the command line is the operator's own wish.
    package var allowed: AllowedSources
    /// Whom a workspace's files belong to; nil = this process's user.
    package var owner: FileOwner?
    /// What makes the disks of workspaces; nil: they are directories, and watched.
    package var disk: WorkspaceDisk?
    /// What builds of a project leave to its next ones; nil: every build begins with nothing.
    package var caches: ProjectCaches?
    /// The root file systems that projects may ask for; nil: there are none.
    package var roots: RootCatalog?
    /// What is missing below the highest level.
    package var missing: [String]
    /// How often a build that runs says how far it is; nil = never, where every record has to stand at its own place.
    package var estimates: Duration? = .seconds(1)

    /// What a source of any kind may hold: the caps of archives hold for directories and git too.
    var sourceLimits: WalkLimits {
        WalkLimits(entries: sourceCaps.entries, bytes: sourceCaps.bytes, fileSize: sourceCaps.fileSize)
    }

    package init(
        snapshots: FilePath,
        work: FilePath,
        policy: Policy,
        toolchain: [String],
        path: String,
        program: FilePath,
        programLibraries: [String],
        sourceCaps: ArchiveCaps,
        allowed: AllowedSources,
        owner: FileOwner?,
        disk: WorkspaceDisk? = nil,
        missing: [String]
    ) {
        self.snapshots = snapshots
        self.work = work
        self.policy = policy
        self.toolchain = toolchain
        self.path = path
        self.program = program
        self.programLibraries = programLibraries
        self.sourceCaps = sourceCaps
        self.allowed = allowed
        self.owner = owner
        self.disk = disk
        self.missing = missing
    }
}
