// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

package import DrydockModel
import Glibc

/// The machine's wall clock.
package enum WallClock {
    /// Now, to the millisecond.
    ///
    /// Source: man 2 clock_gettime.
    package static func now() -> Timestamp {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)  // can not fail for this clock and a valid pointer
        return Timestamp(milliseconds: Int64(time.tv_sec) * 1_000 + Int64(time.tv_nsec) / 1_000_000)
    }
}
