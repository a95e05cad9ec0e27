// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

package import DrydockModel
internal import Glibc

extension Timestamp {
    /// The wall clock now.
    ///
    /// Source: man 2 clock_gettime, CLOCK_REALTIME.
    package static func now() -> Timestamp {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)  // can not fail with this clock and a valid pointer
        return Timestamp(milliseconds: Int64(time.tv_sec) * 1_000 + Int64(time.tv_nsec) / 1_000_000)
    }
}
