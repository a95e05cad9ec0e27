// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import COS
package import SystemPackage

/// Disk space that is set aside before it is written.
package enum FileReservation {
    /// Sets blocks aside for `count` bytes from `offset`, behind the end of the file too, which stays where it is.
    ///
    /// Throws `noSpace` when the disk is too full, `notSupported` where the file system can not.
    /// Source: man 2 fallocate (FALLOC_FL_KEEP_SIZE).
    package static func extend(
        _ file: FileDescriptor,
        from offset: Int64,
        count: Int64
    ) throws(Errno) {
        while true {
            let result = cos_reserve(file.rawValue, offset, count)
            if result == 0 { return }
            let reason = Errno(rawValue: -result)
            guard reason == .interrupted else { throw reason }
        }
    }
}
