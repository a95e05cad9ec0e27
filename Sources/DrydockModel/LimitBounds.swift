// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

/// What each limit may be, whoever sets it: a project, the operator, the command line.
///
/// Below the least no sandbox starts, and what the machine says then has little to do with the limit; above the most the
/// kernel takes no such number.
package enum LimitBounds {
    /// Holds the sandbox's own set-up, and a small program.
    package static let memory = ByteCount.mebibytes(4)...largest
    /// Holds a file system, and the directories of a workspace.
    package static let disk = ByteCount.mebibytes(1)...largest
    /// A file's.
    package static let fileSize = ByteCount(1)...largest
    /// Processes and threads; the kernel has no more than four million numbers for them.
    package static let processes = 1...1_000_000
    /// Open descriptors: fewer are not enough for a shell with a pipe or two, nor for the set-up.
    package static let openFiles = 16...1_000_000
    /// Bytes to and from hosts; a sandbox that is to move none gets no network.
    package static let network = ByteCount(1)...largest
    /// CPU cores.
    package static let cpus = 0.01...4_096

    private static let largest = ByteCount.gibibytes(1 << 20)
}
