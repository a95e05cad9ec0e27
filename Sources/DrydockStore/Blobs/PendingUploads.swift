// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import DrydockModel
import Synchronization

/// Blobs that were written for builds which are not accepted yet: what one upload gives up, another one of the same content
/// may be about to name.
///
/// The lock is held over the naming and the deletion of files, so that neither falls between the other's look and act.
final class PendingUploads: Sendable {
    private let pending = Mutex<[Digest: Int]>([:])

    /// Counts one more upload of this content, and names its file; returns what `naming` returns.
    func keep<Result: Sendable>(
        _ digest: Digest,
        naming: () throws(StoreError) -> Result
    ) throws(StoreError) -> Result {
        try pending.withLock { pending throws(StoreError) in
            let result = try naming()
            pending[digest, default: 0] += 1
            return result
        }
    }

    /// The upload's build was accepted.
    func release(_ digest: Digest) { pending.withLock { Self.release(digest, &$0) } }

    /// The upload's build was refused; `delete` is called when nobody else brings the same.
    func giveUp(_ digest: Digest, delete: () -> Void) {
        pending.withLock { pending in
            Self.release(digest, &pending)
            if pending[digest] == nil { delete() }
        }
    }

    private static func release(_ digest: Digest, _ pending: inout [Digest: Int]) {
        guard let count = pending[digest] else { return }
        pending[digest] = count > 1 ? count - 1 : nil
    }
}
