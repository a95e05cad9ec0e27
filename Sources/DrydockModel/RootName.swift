// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

/// The name that an operator gave a root file system, by which projects ask for it.
package struct RootName: CheckedName {
    package let rawValue: String
    package init(unchecked rawValue: String) { self.rawValue = rawValue }
}

/// The root file system that a plan's steps run in.
package struct PlannedRoot: Codable, Hashable, Sendable {
    package var name: RootName
    /// Of what is in it, and of its variables: what another import of that name makes another one.
    package var digest: Digest

    package init(name: RootName, digest: Digest) {
        self.name = name
        self.digest = digest
    }
}
