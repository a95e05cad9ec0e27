// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

package import DrydockModel
import Synchronization
package import SystemPackage

/// Something in the store that can not be read any more.
package enum StoreDamage: Hashable, Sendable, CustomStringConvertible {
    /// A build's row does not decode: the build is shown as damaged.
    case row(BuildID, detail: String)
    /// Records of an attempt's journal are damaged or gone: a gap stands in their place.
    case record(BuildID, AttemptID, after: UInt64)
    /// Somebody else's file or folder, where only builds' journals or blobs lie.
    case stray(FilePath)

    package var description: String {
        switch self {
        case .row(let id, let detail): "the row of build \(id) can not be read: \(detail)"
        case .record(let build, let attempt, let seq):
            "the journal of \(build), attempt \(attempt), can not be read after record \(seq)"
        case .stray(let path): "\(path) is none of Drydock's, and passed over; move it away"
        }
    }
}

/// Tells the operator of each damage once, however often it is met.
final class DamageLog: Sendable {
    /// More than that many are not remembered, and told again.
    private static let memory = 10_000

    let now: @Sendable () -> Timestamp
    private let tell: @Sendable (StoreDamage) -> Void
    private let told = Mutex<Set<StoreDamage>>([])

    init(now: @escaping @Sendable () -> Timestamp, _ tell: @escaping @Sendable (StoreDamage) -> Void) {
        self.now = now
        self.tell = tell
    }

    func report(_ damage: StoreDamage) {
        let isNew = told.withLock { told in
            if told.count >= Self.memory { told.removeAll() }
            return told.insert(damage).inserted
        }
        if isNew { tell(damage) }
    }

    /// Passes builds on; tells of those whose rows were damaged.
    func checking(_ builds: [Build]) -> [Build] {
        for build in builds { if let detail = build.damage { report(.row(build.id, detail: detail)) } }
        return builds
    }
}
