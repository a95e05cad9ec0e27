// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

package import DrydockModel

/// A part of the queue that has a limit of its own.
package enum QueueShare: Hashable, Sendable {
    case session(SessionID)
    /// What came with one token.
    case submitter
    case all
}
