// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import Glibc
import Synchronization

/// The connections that all sandboxes of this process may have together, beyond the few that each has for itself.
///
/// Each is a descriptor of this process, which does more than carry bytes.
final class ConnectionPot: Sendable {
    /// An eighth of the descriptors that this process may have.
    static let shared: ConnectionPot = {
        var limit = rlimit()
        guard getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else {
            return ConnectionPot(128)
        }
        return ConnectionPot(Int(clamping: limit.rlim_cur / 8))
    }()

    private let left: Mutex<Int>

    init(_ size: Int) { left = Mutex(size) }

    /// Takes one out; false where there is none left.
    func take() -> Bool {
        left.withLock { left in
            guard left > 0 else { return false }
            left -= 1
            return true
        }
    }

    func giveBack() { left.withLock { $0 += 1 } }
}
