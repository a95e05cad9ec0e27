// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import COS
package import SystemPackage

/// The mounts that this process sees.
package enum MountNamespace {
    /// Gives this process mounts of its own: those of the machine go on to appear, and what is mounted here is seen by this
    /// process and its children alone, and gone with the last of them, however they end.
    ///
    /// For the first lines of a program: a thread that is there already would keep the old ones. An ordinary user
    /// may not (`notPermitted`). Source: man 7 mount_namespaces.
    package static func separate() throws(Errno) { try Errno.check(cos_separate_mounts()) }
}
