// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

/// How much of the sandbox a machine can do; shown, and never lowered in silence.
package enum SandboxLevel: String, Codable, Hashable, Sendable, Comparable, CaseIterable,
    FieldReadable
{
    /// Everything.
    case full = "L4"
    /// No cgroups, so that memory is limited for each process only; or no Landlock, the second wall of the file system.
    /// `drydock doctor` tells which.
    case reduced = "L3"
    /// No fresh `/proc`, as in a container within a container.
    case withoutProc = "L2"
    /// Less than a sandbox; refused.
    case insufficient = "L0"

    /// Less comes first.
    package static func < (left: SandboxLevel, right: SandboxLevel) -> Bool { left.rawValue < right.rawValue }
}
