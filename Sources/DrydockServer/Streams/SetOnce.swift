// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import Synchronization

/// Something that becomes true, seen from every thread.
final class SetOnce: Sendable {
    private let state = Atomic(false)

    var value: Bool { state.load(ordering: .acquiring) }

    func set() { state.store(true, ordering: .releasing) }
}
