// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import COS
package import SystemPackage

/// A directory seen at another place, where it can be changed and stays as it is: the changes lie beside it.
package enum Overlay {
    /// Shows `lower` at `target`, an empty directory; changes go to `upper`, by way of `scratch`, both empty directories of one
    /// file system.
    ///
    /// For root, with mounts of its own; goes with `DiskImage.unmount(target)`. Whoever owns `upper` owns what is seen at
    /// `target`. Renaming a directory of `lower` is EXDEV there, so that each file of `upper` stands where it is seen.
    package static func mount(
        _ lower: DirectoryHandle,
        changes upper: DirectoryHandle,
        scratch: DirectoryHandle,
        at target: FilePath
    ) throws(Errno) {
        let result = cos_mount_overlay(
            lower.descriptor.rawValue,
            upper.descriptor.rawValue,
            scratch.descriptor.rawValue,
            target.string
        )
        _ = try checked(result)
    }
}
