// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

internal import Glibc

/// Who a sandboxed step is on the host: what it shall write must belong to this user and group.
///
/// Inside it is always user and group 1000.
package struct SandboxIdentity: Codable, Hashable, Sendable {
    package var hostUser: UInt32
    package var hostGroup: UInt32

    package init(hostUser: UInt32, hostGroup: UInt32) {
        self.hostUser = hostUser
        self.hostGroup = hostGroup
    }

    /// The identity of sandboxes started by this process: as root a user that nobody has, else the user itself.
    package static var current: SandboxIdentity {
        guard geteuid() == 0 else { return SandboxIdentity(hostUser: geteuid(), hostGroup: getegid()) }
        return SandboxIdentity(hostUser: 101_000, hostGroup: 101_000)
    }

    /// Whether what a step writes belongs to another user than this process, so that it must be handed over.
    package var isForeign: Bool { hostUser != geteuid() }
}
