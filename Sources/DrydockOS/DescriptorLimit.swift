// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

package import SystemPackage

#if canImport(Glibc)
import Glibc
#endif

/// How many descriptors this process may have open.
package enum DescriptorLimit {
    /// Raises the soft limit to the hard one: the usual 1 024 is kept low for programs that call `select`.
    ///
    /// Returns the limit that holds from now on. Source: man 2 getrlimit.
    @discardableResult
    package static func raise() throws(Errno) -> Int {
        var limit = rlimit()
        guard getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else {
            throw Errno.current
        }
        if limit.rlim_cur < limit.rlim_max {
            limit.rlim_cur = limit.rlim_max
            guard setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else {
                throw Errno.current
            }
        }
        return Int(clamping: limit.rlim_cur)
    }
}
