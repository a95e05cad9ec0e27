// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import Synchronization

/// Counts calls.
package final class Counter: Sendable {
    private let count = Mutex<UInt64>(0)

    package init() {}

    package var value: UInt64 { count.withLock(\.self) }

    /// Adds one and returns the sum.
    @discardableResult
    package func increment() -> UInt64 {
        count.withLock { count in
            count += 1
            return count
        }
    }
}
