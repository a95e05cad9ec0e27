// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import Synchronization

/// Something that becomes true, seen from every thread.
package final class SetOnce: Sendable {
    private let state = Atomic(false)

    package init() {}

    package var value: Bool { state.load(ordering: .acquiring) }

    package func set() { state.store(true, ordering: .releasing) }
}
