// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import COS
package import SystemPackage

/// The mounts that this process sees.
package enum MountNamespace {
    /// Gives this process mounts of its own: those of the machine go on to appear, and what is mounted here is seen by this
    /// process and its children alone, and gone with the last of them, however they end.
    ///
    /// For the first lines of a program: beside another thread, which would keep the old ones, nothing is done
    /// (`invalidArgument`). An ordinary user may not (`notPermitted`). Source: man 7 mount_namespaces, man 2 unshare.
    package static func separate() throws(Errno) { try Errno.check(cos_separate_mounts()) }
}
